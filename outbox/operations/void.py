"""Withdraw an event the broker will never take: a record without a body goes out in its place."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from outbox import errors
from outbox.operations import audit
from outbox.operations.look import of_id
from outbox.statements import statement

if TYPE_CHECKING:
    import asyncpg


async def void(connection: "asyncpg.Connection[Any]", event_id: UUID, *, reason: str, name: str = "kafka") -> None:
    """Withdraw the event for good; a running relay honours it at its next read, a stopped one when it starts.

    Raises:
        errors.EventUnknown: no retained row has that id.
        errors.EventAlreadySent: the cursor is past it; there is nothing left to withdraw.
        errors.EventAlreadyVoid: somebody did.
        errors.ReasonMissing: the reason is blank.
    """
    event = await of_id(connection, event_id, name=name)
    async with connection.transaction():
        await audit.record(connection, "void", reason, {"event_id": event_id, "topic": event.topic, "key": event.key})
        if await connection.fetchval(statement("insert_void"), event_id, reason, name) is None:
            raise errors.EventAlreadyVoid(event_id) if event.void else errors.EventAlreadySent(event_id)
