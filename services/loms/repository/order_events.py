"""A status change becomes a public event and is appended to the outbox of the same transaction."""

from collections.abc import Callable, Mapping

from events import headers
from events.order.v1 import OrderStatusChanged, encode, type_of
from events.topics import ORDER_EVENTS
from outbox import Message, Writer
from services.loms.domain.order import StatusChange
from services.loms.repository.connection import Connection


class OrderEvents:
    """The port `Events` over one connection.

    Args:
        connection: in the transaction that made the changes.
        writer: knows the topics of this service.
        trace: the current span as headers, so that the event's way can be followed from the request.
    """

    def __init__(self, connection: Connection, *, writer: Writer, trace: Callable[[], Mapping[str, str]]) -> None:
        self._connection = connection
        self._writer = writer
        self._trace = trace
        self.appended = 0

    async def append(self, *changes: StatusChange) -> None:
        """Append all changes in one statement, in the order of their versions."""
        await self._writer.append(self._connection, *map(self._message, changes))
        self.appended += len(changes)

    def _message(self, change: StatusChange) -> Message:
        event = OrderStatusChanged(order_id=change.order_id, status=change.status, moment=change.at)
        return Message(
            topic=ORDER_EVENTS,
            key=str(change.order_id),
            version=change.version,
            type=type_of(change.status),
            payload=encode(event),
            headers={
                **self._trace(),
                headers.USER_ID: str(change.user_id),
                headers.ITEM_COUNT: str(change.item_count),
            },
            occurred_at=change.at,
        )
