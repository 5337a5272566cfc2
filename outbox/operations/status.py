"""How an outbox is doing, at one glance."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outbox.operations.layout import read_layout
from outbox.operations.position import StoredCursor, read_cursor
from outbox.statements import statement

if TYPE_CHECKING:
    import asyncpg

WAITING_COUNTED_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Status:
    """The state of one cursor and of the table.

    Attributes:
        cursor: its row.
        waiting_rows: committed or being written, and not acknowledged; counted to a million.
        oldest_waiting_seconds: the age of the oldest of them, None when none waits.
        owner: the instance that holds the lease, None when nobody does or it did not say.
        standbys: the instances that wait for it.
        partitions: how many ranges.
        ahead: how many of them lie ahead of the current xid.
        rows_kept: about, from statistics.
        hold_seconds: the age of the oldest open transaction with an id.
    """

    cursor: StoredCursor
    waiting_rows: int
    oldest_waiting_seconds: float | None
    owner: str | None
    standbys: tuple[str, ...]
    partitions: int
    ahead: int
    rows_kept: int
    hold_seconds: float


async def status(connection: "asyncpg.Connection[Any]", name: str = "kafka") -> Status:
    """Look at the cursor and the table; any role that may read them will do.

    Raises:
        errors.CursorMissing: there is no such cursor.
    """
    cursor = await read_cursor(connection, name)
    waiting = await connection.fetchrow(statement("count_waiting"), *_ends(cursor), WAITING_COUNTED_MAX)
    relays = await connection.fetch(statement("list_relays"))
    layout = await read_layout(connection)
    current = int(await connection.fetchval("select pg_snapshot_xmax(pg_current_snapshot())::text"))
    return Status(
        cursor=cursor,
        waiting_rows=waiting["waiting"] if waiting else 0,
        oldest_waiting_seconds=waiting["oldest_seconds"] if waiting else None,
        owner=next((row["instance"] for row in relays if row["role"] == "owner" and cursor.owned), None),
        standbys=tuple(row["instance"] for row in relays if row["role"] == "standby"),
        partitions=len(layout.ranges),
        ahead=layout.ahead(current),
        rows_kept=await connection.fetchval(statement("estimate_kept")),
        hold_seconds=await connection.fetchval(statement("read_hold")),
    )


def _ends(cursor: StoredCursor) -> tuple[object, ...]:
    target = cursor.target.text if cursor.target is not None else None
    return cursor.seen.xmax, cursor.seen.running, target, cursor.walked_seq
