"""The running stack as the commands of orders and demos need it: addresses, and DSNs of the role that only reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stack import client

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Where the parts answer. ``telegram_url`` is the stand-in's, None when a real bot is used."""

    loms_http_url: str
    cart_http_url: str
    telegram_url: str | None
    kafka_bootstrap: str
    loms_reader_dsn: str = field(repr=False)
    notification_reader_dsn: str = field(repr=False)
    notification_dsn: str = field(repr=False)


def running_stack(environment: Mapping[str, str] | None = None) -> Running:
    """The running stack of the home the environment names. Raises ``stack.client.NotRunning``."""
    access = client.running(environment).access
    return Running(
        loms_http_url=access.loms_http,
        cart_http_url=access.url("cart-http"),
        telegram_url=access.url("telegram") if access.has_stand_in else None,
        kafka_bootstrap=access.kafka,
        loms_reader_dsn=access.dsn("verifier", "loms"),
        notification_reader_dsn=access.dsn("verifier", "notification"),
        notification_dsn=access.dsn("notification", "notification"),
    )
