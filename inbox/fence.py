"""Who may write a partition's events, and from where: ownership with an epoch, and the position.

Invariants:
- taking a partition raises its epoch, so that a former owner's commit finds no row and is undone;
- the position moves only from where this owner left it: a database that came back older is noticed too;
- it moves only over what was read from there on: a batch that begins later is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inbox.errors import Fenced
from inbox.statements import statement

if TYPE_CHECKING:
    from uuid import UUID

    import asyncpg
    from aiokafka import TopicPartition


@dataclass(frozen=True, slots=True)
class Hold:
    """A partition as its owner holds it."""

    consumer: str
    at: TopicPartition
    epoch: int
    next_offset: int
    last_event_id: UUID | None
    cluster_id: str
    joined_offset: int
    needs_reset: str | None

    @property
    def truncated(self) -> bool:
        """Whether the log's beginning was already deleted when this consumer joined it."""
        return self.joined_offset > 0


async def own(
    connection: asyncpg.Connection[asyncpg.Record],
    *,
    consumer: str,
    at: TopicPartition,
    owner: UUID,
    log_start: int,
    cluster_id: str,
) -> Hold:
    """Take the partition; a first join begins where the log begins."""
    row = await connection.fetchrow(statement("own"), consumer, at.topic, at.partition, owner, log_start, cluster_id)
    if row is None:
        raise Fenced(f"{at.topic}/{at.partition} could not be taken")
    return Hold(consumer=consumer, at=at, **dict(row))


async def advance(
    connection: asyncpg.Connection[asyncpg.Record],
    hold: Hold,
    *,
    from_offset: int,
    next_offset: int,
    last_event_id: UUID | None,
) -> Hold:
    """Move the position over what was read from `from_offset` on, as the last statement before the commit.

    Raises Fenced when this is not the owner, or when the reading did not begin at the position.
    """
    if from_offset != hold.next_offset:
        raise Fenced(
            f"{hold.at.topic}/{hold.at.partition} was read from {from_offset}, it stands at {hold.next_offset}"
        )
    moved = await connection.fetchval(
        statement("advance"),
        hold.consumer,
        hold.at.topic,
        hold.at.partition,
        hold.epoch,
        hold.next_offset,
        next_offset,
        last_event_id,
    )
    if moved is None:
        raise Fenced(f"{hold.at.topic}/{hold.at.partition} is not held with epoch {hold.epoch} at {hold.next_offset}")
    return Hold(
        consumer=hold.consumer,
        at=hold.at,
        epoch=hold.epoch,
        next_offset=next_offset,
        last_event_id=last_event_id,
        cluster_id=hold.cluster_id,
        joined_offset=hold.joined_offset,
        needs_reset=None,
    )


async def refuse(connection: asyncpg.Connection[asyncpg.Record], hold: Hold, why: str) -> None:
    """Write down that the position does not fit the log, so that everybody sees it and nobody reads on."""
    await connection.execute(statement("refuse"), hold.consumer, hold.at.topic, hold.at.partition, hold.epoch, why)
