"""Send rows again that were sent before: to fill a consumer's gap, or after a broker lost its tail.

Straight to the broker, beside the relay, with the same headers: a stretch of a key that starts at or below what is in
the log already can only repeat. Rows the relay has not sent yet are left to it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from outbox.operations import audit
from outbox.operations.position import StoredCursor, read_cursor
from outbox.publisher import Publisher, Stamp
from outbox.rows import TOPIC, Row
from outbox.statements import statement

if TYPE_CHECKING:
    import asyncpg

_PAGE_ROWS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rows: versions of a key, or a stretch of time; of some topics, or of all."""

    key: str | None = None
    from_version: int = 1
    to_version: int = 2**63 - 1
    since: datetime | None = None
    until: datetime | None = None
    topics: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if (self.key is None) == (self.since is None):
            raise ValueError("select by key or by time, one of them")
        if (self.since is None) != (self.until is None):
            raise ValueError("a stretch of time has two ends")


async def plan_republish(
    connection: "asyncpg.Connection[Any]", selection: Selection, *, name: str = "kafka"
) -> Mapping[str, int]:
    """How many rows of each topic would be sent again; changes nothing."""
    cursor = await read_cursor(connection, name)
    counted = f"select topic, count(*) as row_count from ({statement('sent_rows')}) as chosen group by topic"  # noqa: S608 - our own statement
    rows = await connection.fetch(counted, *_arguments(selection, cursor))
    return {row["topic"]: row["row_count"] for row in rows}


async def republish(
    connection: "asyncpg.Connection[Any]",
    publisher: Publisher,
    selection: Selection,
    *,
    reason: str,
    name: str = "kafka",
) -> Mapping[str, int]:
    """Send them, in order; returns how many of each topic were acknowledged.

    Raises:
        errors.ReasonMissing: the reason is blank; nothing was sent.
        errors.PublishFailed, errors.RecordRefused, errors.TopicUnusable: some may have been sent.
    """
    cursor = await read_cursor(connection, name)
    await audit.record(connection, "republish", reason, {"cursor": name, "selection": str(selection)})
    voids = frozenset(row[0] for row in await connection.fetch(statement("list_voids")))
    stamp = Stamp(f"{cursor.system_id}/{cursor.timeline}", cursor.epoch, voids)
    sent: dict[str, int] = {}
    async for page in _pages(connection, selection, cursor):
        await publisher.publish(page, stamp)
        for row in page:
            sent[row[TOPIC]] = sent.get(row[TOPIC], 0) + 1
    return sent


async def _pages(
    connection: "asyncpg.Connection[Any]", selection: Selection, cursor: StoredCursor
) -> AsyncIterator[Sequence[Row]]:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.cursor(statement("sent_rows"), *_arguments(selection, cursor))
        while page := await rows.fetch(_PAGE_ROWS):
            yield page


def _arguments(selection: Selection, cursor: StoredCursor) -> tuple[object, ...]:
    return (
        selection.key,
        selection.from_version,
        selection.to_version,
        selection.since,
        selection.until,
        selection.topics,
        cursor.seen.text,
    )
