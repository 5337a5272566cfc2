"""An order has a new status.

The body is exactly `{"order_id": 42, "status": "paid", "moment": "2026-11-21T08:00:00.123456Z"}`: three fields, in this
order when we write it, in any order when we read it, and never one more.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from events import moments
from events.errors import InvalidEvent, UndecodableEvent

STATUSES = ("new", "awaiting payment", "paid", "failed", "cancelled")

TYPES: Mapping[str, str] = MappingProxyType({status: f"order.{status.replace(' ', '_')}" for status in STATUSES})
"""The CloudEvents type of each status: `order.awaiting_payment` for `awaiting payment`."""

_FIELDS = frozenset({"order_id", "status", "moment"})
_ORDER_ID_MAX = 2**63 - 1
_AS_WE_WRITE_IT = re.compile(
    rb'\{"order_id": ([1-9][0-9]{0,18}), "status": "([a-z ]+)", "moment": "([0-9T:.Z-]+)"\}', re.ASCII
)


@dataclass(frozen=True, slots=True)
class OrderStatusChanged:
    """An order has had this status since that moment. Raises `InvalidEvent` for what the contract does not allow."""

    order_id: int
    status: str
    moment: datetime

    def __post_init__(self) -> None:
        if type(self.order_id) is not int or not 1 <= self.order_id <= _ORDER_ID_MAX:
            raise InvalidEvent("order_id", self.order_id, f"an integer from 1 to {_ORDER_ID_MAX}")
        if self.status not in TYPES:
            raise InvalidEvent("status", self.status, f"one of {', '.join(STATUSES)}")
        if self.moment.tzinfo is None:
            raise InvalidEvent("moment", self.moment, "aware")
        if not moments.is_sayable(self.moment):
            raise InvalidEvent("moment", self.moment, "between the first year and the last")


def type_of(status: str) -> str:
    """Return the CloudEvents type of an event with this status; raise `InvalidEvent` for an unknown one."""
    if status not in TYPES:
        raise InvalidEvent("status", status, f"one of {', '.join(STATUSES)}")
    return TYPES[status]


def encode(event: OrderStatusChanged) -> bytes:
    """Return the body of the event, the same bytes for the same event."""
    moment = moments.to_text(event.moment)
    return f'{{"order_id": {event.order_id}, "status": "{event.status}", "moment": "{moment}"}}'.encode()


def decode(body: bytes) -> OrderStatusChanged:
    """Return the event; raise `UndecodableEvent` for anything but exactly the three fields of the contract.

    A body as `encode` writes it is read without a parser, which takes a third of the time.
    """
    fields = _fields_as_we_write_them(body) or _object_of(body)
    if fields.keys() != _FIELDS:
        raise UndecodableEvent(
            "body", sorted(fields), f"an object with exactly the fields {', '.join(sorted(_FIELDS))}"
        )
    try:
        return OrderStatusChanged(
            order_id=fields["order_id"],
            status=_text("status", fields["status"]),
            moment=_moment(fields["moment"]),
        )
    except UndecodableEvent:
        raise
    except InvalidEvent as error:
        raise UndecodableEvent(error.field, fields[error.field], error.bound) from None


def _fields_as_we_write_them(body: bytes) -> dict[str, Any] | None:
    """Return the fields of a body that is what JSON makes of it, without spaces, escapes or repeats to think of."""
    found = _AS_WE_WRITE_IT.fullmatch(body)
    if found is None:
        return None
    order_id, status, moment = found.groups()
    return {"order_id": int(order_id), "status": status.decode(), "moment": moment.decode()}


def _object_of(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body.decode(), object_pairs_hook=_without_repeats)
    except UndecodableEvent:
        raise
    except (ValueError, RecursionError):
        raise UndecodableEvent("body", body, "JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise UndecodableEvent("body", body, "a JSON object")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise UndecodableEvent("body", [name for name, _ in pairs], "an object that names each field once")
    return fields


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise UndecodableEvent(field, value, "a string")
    return value


def _moment(value: object) -> datetime:
    try:
        return moments.from_text(_text("moment", value))
    except UndecodableEvent:
        raise
    except ValueError:
        raise UndecodableEvent("moment", value, "RFC 3339 in UTC, such as 2026-11-21T08:00:00.123456Z") from None
