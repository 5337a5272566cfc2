"""A batch of public order events becomes one call of the service, inside the inbox's transaction."""

from collections.abc import Callable, Sequence

import asyncpg

from events import headers
from events.errors import UndecodableEvent
from events.order import v1
from inbox import Event, Reject
from services.notification import metrics
from services.notification.domain.change import Status, StatusChange
from services.notification.service.notifications import Notifications
from services.notification.service.ports import Planning

_ID_MAX = 2**63 - 1


class OrderEvents:
    """The inbox's handler. An event that can never be understood is rejected, which parks its order's key."""

    def __init__(self, *, notifications: Notifications, planning: Callable[[asyncpg.Connection], Planning]) -> None:
        self._notifications = notifications
        self._planning = planning

    async def __call__(self, connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        """Plan what people are told about these events. Raises Reject."""
        changes = [_change(event) for event in events]
        for state, rows in (await self._notifications.plan(changes, self._planning(connection))).items():
            metrics.PLANNED.labels(state).inc(rows)


def _change(event: Event) -> StatusChange:
    try:
        said = v1.decode(event.payload)
    except UndecodableEvent as error:
        raise Reject(event, str(error)) from error
    if event.key != str(said.order_id):
        raise Reject(event, "the key is not the order's id")
    if event.version is None:
        raise Reject(event, "the event has no version")
    return StatusChange(
        order_id=said.order_id,
        version=event.version,
        user_id=_number(event, headers.USER_ID),
        status=Status(said.status),
        items=_number(event, headers.ITEM_COUNT) if headers.ITEM_COUNT in event.headers else None,
        moment=said.moment,
        event_id=event.event_id,
        traceparent=event.headers.get(headers.TRACEPARENT),
    )


def _number(event: Event, name: str) -> int:
    text = event.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _ID_MAX):
        raise Reject(event, f"header {name} is not a positive number")
    return int(text)
