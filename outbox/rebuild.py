"""Partitions made anew around the current xid: after a dump was restored, where xids begin again.

Rows of the former counter carry xids the new one has yet to reach, and would be found once more when it does. So
every row is taken over under the xid of the rebuilding transaction; then the cursor is reset (`now`, `from-seq`,
`all`). Run it before services start: it takes the table for itself.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outbox.operations import audit
from outbox.partitions import Layout, Partition
from outbox.schema import PARTITION_WIDTH_DEFAULT, partitions_sql
from outbox.statements import statement

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True, slots=True)
class RebuildPlan:
    """Whether the partitions fit the server's xids, and what a rebuild would move.

    Attributes:
        current_xid: where the server's counter stands.
        needed: the current xid has no range, or rows carry xids that are yet to come.
        rows: how many rows a rebuild takes over.
    """

    current_xid: int
    needed: bool
    rows: int


async def plan_rebuild(connection: "asyncpg.Connection[Any]") -> RebuildPlan:
    """Look, change nothing."""
    current = int(await connection.fetchval("select pg_snapshot_xmax(pg_current_snapshot())::text"))
    layout = Layout.of([Partition.of(row) for row in await connection.fetch(statement("list_partitions"))])
    ahead = await connection.fetchval("select exists (select from outbox where xid > $1::text::xid8)", str(current))
    rows = await connection.fetchval("select count(*) from outbox")
    return RebuildPlan(current, needed=ahead or not layout.holds(current), rows=rows)


async def rebuild(
    connection: "asyncpg.Connection[Any]", *, reason: str, partition_width: int = PARTITION_WIDTH_DEFAULT
) -> int:
    """Make the partitions anew and take the rows over, in one transaction with its audit row; returns how many rows.

    Raises:
        errors.ReasonMissing: the reason is blank; nothing was changed.
    """
    async with connection.transaction():
        await audit.record(connection, "partitions rebuild", reason, {"partition_width": partition_width})
        await connection.execute("lock table outbox in access exclusive mode")
        await _set_aside(connection)
        await connection.execute(partitions_sql(partition_width))
        taken = await connection.execute(statement("restamp_rows"))
        await connection.execute("drop table outbox_before")
    await connection.execute("analyze outbox")
    return int(taken.rpartition(" ")[2])


async def _set_aside(connection: "asyncpg.Connection[Any]") -> None:
    """Move the pieces, under other names, below a table that only this transaction knows."""
    await connection.execute("create table outbox_before (like outbox) partition by range (xid)")
    for row in await connection.fetch(statement("list_partitions")):
        piece = Partition.of(row)
        aside = f"outbox_before_{piece.lower}"
        await connection.execute(
            f"alter table outbox detach partition {piece.name}{' finalize' if piece.pending else ''}"
        )
        await connection.execute(f"alter table {piece.name} rename to {aside}")
        await connection.execute(
            f"alter table outbox_before attach partition {aside} for values from ('{piece.lower}') to ('{piece.upper}')"
        )
