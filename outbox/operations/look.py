"""Rows of the outbox, for people: the latest, one key's story, one event."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from outbox import errors
from outbox.statements import statement

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row, and what became of it.

    Attributes:
        sent: acknowledged by the broker, as far as the cursor says (it may lag by 100 ms).
        void: withdrawn by an operator.
    """

    seq: int
    xid: str
    event_id: UUID
    topic: str
    key: str
    version: int | None
    type: str
    occurred_at: datetime
    headers: Mapping[str, str]
    payload: bytes
    sent: bool
    void: bool


async def latest(connection: "asyncpg.Connection[Any]", *, limit: int, name: str = "kafka") -> list[StoredEvent]:
    """The last rows written, oldest of them first."""
    return await _events(connection, None, None, limit, name)


async def of_key(
    connection: "asyncpg.Connection[Any]", key: str, *, limit: int = 1_000, name: str = "kafka"
) -> list[StoredEvent]:
    """The rows of a key, in order."""
    return await _events(connection, key, None, limit, name)


async def of_id(connection: "asyncpg.Connection[Any]", event_id: UUID, *, name: str = "kafka") -> StoredEvent:
    """One event.

    Raises:
        errors.EventUnknown: no retained row has that id.
    """
    found = await _events(connection, None, event_id, 1, name)
    if not found:
        raise errors.EventUnknown(event_id)
    return found[0]


async def _events(
    connection: "asyncpg.Connection[Any]", key: str | None, event_id: UUID | None, limit: int, name: str
) -> list[StoredEvent]:
    rows = await connection.fetch(statement("list_events"), key, event_id, limit, name)
    return [_event(row) for row in reversed(rows)]


def _event(row: Any) -> StoredEvent:
    values = dict(row)
    values["headers"] = json.loads(row["headers"]) if row["headers"] else {}
    return StoredEvent(**values)
