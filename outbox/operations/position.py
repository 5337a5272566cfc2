"""The cursor's row, read for an operator."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outbox import errors
from outbox.snapshot import Snapshot
from outbox.statements import statement

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True, slots=True)
class StoredCursor:
    """The row of a cursor."""

    name: str
    epoch: int
    state: str
    owned: bool
    lease_seconds_left: float
    seen: Snapshot
    target: Snapshot | None
    walked_seq: int
    system_id: str
    timeline: int


async def read_cursor(connection: "asyncpg.Connection[Any]", name: str) -> StoredCursor:
    """The row.

    Raises:
        errors.CursorMissing: there is none of that name.
    """
    row = await connection.fetchrow(statement("read_cursor"), name)
    if row is None:
        raise errors.CursorMissing(name)
    left = max(0.0, row["lease_seconds_left"])
    return StoredCursor(
        name=name,
        epoch=row["epoch"],
        state=row["state"],
        owned=row["owner"] is not None and left > 0,
        lease_seconds_left=left,
        seen=Snapshot.parse(row["seen"]),
        target=Snapshot.parse(row["target"]) if row["target"] else None,
        walked_seq=row["walked_seq"] or 0,
        system_id=row["system_id"],
        timeline=row["timeline"],
    )
