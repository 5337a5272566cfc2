"""A status change becomes a public event: what the statement that writes the change puts into the outbox."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import orjson

from events import headers
from events.order.v1 import OrderStatusChanged, encode, type_of
from services.loms.domain.order import StatusChange

Body: TypeAlias = tuple[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvents:
    """Makes events of status changes.

    Attributes:
        new_id: makes the id of an event.
        trace: returns the current span as headers, so that the event's way can be followed from the request.
    """

    new_id: Callable[[], UUID]
    trace: Callable[[], Mapping[str, str]]

    def headers(self, change: StatusChange) -> str:
        """Return what travels beside the body, as JSON."""
        beside = {headers.USER_ID: str(change.user_id), headers.ITEM_COUNT: str(change.item_count)}
        return orjson.dumps({**self.trace(), **beside}).decode()


def body(change: StatusChange) -> Body:
    """Return the type and the body of the event of a change."""
    event = OrderStatusChanged(order_id=change.order_id, status=change.status, moment=change.at)
    return type_of(change.status), encode(event)
