"""The partitions, read for an operator."""

from typing import TYPE_CHECKING, Any

from outbox.partitions import Layout, Partition
from outbox.statements import statement

if TYPE_CHECKING:
    import asyncpg


async def read_layout(connection: "asyncpg.Connection[Any]") -> Layout:
    """The pieces of the table now."""
    return Layout.of([Partition.of(row) for row in await connection.fetch(statement("list_partitions"))])
