"""Our service processes: what each runs, which steps it needs, what it is told.

A new one is an entry in SERVICES (and a line in settings.PORTS if it listens).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stack.access import Access

DATABASES = "databases"
TOPICS = "topics"
"""The steps that prepare what services need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service process: `python -m <module> <command>` with an environment made from the addresses.

    The health address and the instance name are added to it under `prefix`. One that is `pooled` goes through the
    pooler, if the stack has one.
    """

    name: str
    module: str
    command: str
    prefix: str
    needs: frozenset[str]
    environment: Callable[[Access], Mapping[str, str]]
    listens: str = ""
    pooled: bool = False


def _loms(access: Access) -> dict[str, str]:
    return {
        "LOMS_DATABASE_URL": access.pooled_dsn("loms", "loms"),
        "LOMS_DIRECT_URL": access.dsn("loms", "loms"),
        "LOMS_OWNER_URL": access.dsn("loms_owner", "loms"),
        "LOMS_KAFKA_BOOTSTRAP": access.kafka,
        "LOMS_GRPC_ADDRESS": access.address("loms-grpc"),
    }


def _notification(access: Access) -> dict[str, str]:
    return {
        "NOTIFICATION_DATABASE_URL": access.dsn("notification", "notification"),
        "NOTIFICATION_OWNER_URL": access.dsn("notification_owner", "notification"),
        "NOTIFICATION_KAFKA_BOOTSTRAP": access.kafka,
        "NOTIFICATION_TELEGRAM_TOKEN": access.bot_token,
        "NOTIFICATION_TELEGRAM_URL": access.telegram,
        "NOTIFICATION_LIMITS_URL": access.limits,
        "NOTIFICATION_SENDERS": "2",  # of this bot's messages: the sender, and the bot that answers
        "NOTIFICATION_LOMS_ADDRESS": access.address("loms-grpc"),
    }


def _cart(access: Access) -> dict[str, str]:
    return {
        "CART_DATABASE_URL": access.dsn("cart", "cart"),
        "CART_OWNER_URL": access.dsn("cart_owner", "cart"),
        "CART_HTTP_ADDRESS": access.address("cart-http"),
        "CART_LOMS_ADDRESS": access.address("loms-grpc"),
        "CART_PRODUCT_ADDRESS": access.address("product-grpc"),
        "CART_CACHE_URLS": json.dumps(access.cache_shards),
        "CART_LIMITS_URL": access.limits,
    }


def _product(access: Access) -> dict[str, str]:
    return {
        "PRODUCT_DATABASE_URL": access.dsn("product", "product"),
        "PRODUCT_OWNER_URL": access.dsn("product_owner", "product"),
        "PRODUCT_HTTP_ADDRESS": access.address("product-http"),
        "PRODUCT_GRPC_ADDRESS": access.address("product-grpc"),
    }


def _projection(access: Access) -> dict[str, str]:
    return {
        "PROJECTION_KAFKA_BOOTSTRAP": access.kafka,
        "PROJECTION_HTTP_ADDRESS": access.address("projection-http"),
    }


def _loms_process(
    name: str, command: str, needs: frozenset[str], listens: str = "", *, pooled: bool = False
) -> Service:
    return Service(
        name=name,
        module="services.loms",
        command=command,
        prefix="LOMS",
        needs=needs,
        environment=_loms,
        listens=listens,
        pooled=pooled,
    )


def _notification_process(name: str, command: str, needs: frozenset[str]) -> Service:
    return Service(
        name=name,
        module="services.notification",
        command=command,
        prefix="NOTIFICATION",
        needs=needs,
        environment=_notification,
    )


def _cart_process() -> Service:
    return Service(
        name="cart-api",
        module="services.cart",
        command="api",
        prefix="CART",
        needs=frozenset({DATABASES}),
        environment=_cart,
        listens="cart-http",
    )


def _product_process() -> Service:
    return Service(
        name="product-api",
        module="services.product",
        command="api",
        prefix="PRODUCT",
        needs=frozenset({DATABASES}),
        environment=_product,
        listens="product-http",
    )


def _projection_process() -> Service:
    return Service(
        name="projection",
        module="services.projection",
        command="view",
        prefix="PROJECTION",
        needs=frozenset({TOPICS}),
        environment=_projection,
        listens="projection-http",
    )


SERVICES: Sequence[Service] = (
    _loms_process("loms-api", "api", frozenset({DATABASES}), listens="loms-grpc", pooled=True),
    _loms_process("loms-relay-0", "relay", frozenset({DATABASES, TOPICS})),
    _loms_process("loms-relay-1", "relay", frozenset({DATABASES, TOPICS})),
    _notification_process("notification-consumer", "consumer", frozenset({DATABASES, TOPICS})),
    _notification_process("notification-sender", "sender", frozenset({DATABASES})),
    _product_process(),
    _cart_process(),
    _notification_process("notification-bot", "bot", frozenset({DATABASES})),
    _projection_process(),
)
"""Every service process, in the order of their health ports."""
