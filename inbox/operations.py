"""What operators see and decide: the same functions stand behind `python -m inbox` and any other command line.

Release and discard are written down here and carried out by the consumer that owns the partition, because only there
are the handler and the fence. Rewind and reset are carried out here; the owner notices within a second and begins anew.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from inbox.errors import InboxError
from inbox.statements import statement

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import asyncpg

    from inbox.log_reader import LogReader

    Connection = asyncpg.Connection[asyncpg.Record]

_ASK_EVERY_SECONDS = 0.1
_NAMED_MAX = 20


class NothingParked(InboxError):
    """Nothing is parked under this key (or not this event)."""


class NeverRead(InboxError):
    """No such consumer, topic or partition has a position in this database."""


class NoReason(InboxError):
    """A decision needs a reason: it is what the audit table keeps."""


class StalePlan(InboxError):
    """What was planned does not hold any more; nothing was changed."""


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """One partition of one consumer; `end_offset` only when the log was asked."""

    consumer: str
    topic: str
    partition: int
    epoch: int
    owner: UUID | None
    next_offset: int
    needs_reset: str | None
    parked_keys: int
    undone: int
    end_offset: int | None = None


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """One event that waits; `why` is its key's state, `reason` its own."""

    consumer: str
    topic: str
    key: str
    why: str
    applied: int
    version: int | None
    event_id: UUID
    type: str | None
    partition: int
    offset: int
    reason: str
    parked_at: datetime
    payload_bytes: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """A position to be moved, as planned; what lies before `joined_offset` is taken as gone for good."""

    consumer: str
    topic: str
    partition: int
    from_offset: int
    to_offset: int
    joined_offset: int
    cluster_id: str


async def status(connection: Connection, *, consumer: str | None = None) -> list[PartitionStatus]:
    """Return where every partition stands."""
    rows = await connection.fetch(statement("status"), consumer)
    return [PartitionStatus(**dict(row)) for row in rows]


async def parked(
    connection: Connection,
    *,
    consumer: str | None = None,
    topic: str | None = None,
    key: str | None = None,
    events_max: int = 100,
) -> list[ParkedEvent]:
    """Return what waits, longest waiting key first."""
    rows = await connection.fetch(statement("list_parked"), consumer, topic, key, events_max)
    return [ParkedEvent(**dict(row)) for row in rows]


async def decide(
    connection: Connection,
    action: Literal["release", "discard"],
    *,
    consumer: str,
    topic: str,
    key: str,
    reason: str,
    by: str,
    event_id: UUID | None = None,
) -> int:
    """Write a decision down and return its number; raises NothingParked, NoReason."""
    _mind_the_reason(reason)
    number: int | None = await connection.fetchval(
        statement("decide"), by, action, consumer, topic, key, event_id, reason
    )
    if number is None:
        raise NothingParked(
            f"nothing to {action}: {consumer} has nothing parked of {topic} key {key}"
            + (f" event {event_id}" if event_id else "")
        )
    return number


async def outcome(connection: Connection, number: int, *, wait_seconds: float) -> str | None:
    """Wait for what comes of a decision; None when no consumer carried it out in time."""
    try:
        async with asyncio.timeout(wait_seconds):
            while (found := await connection.fetchval(statement("outcome"), number)) is None:  # noqa: ASYNC110 - another process answers
                await asyncio.sleep(_ASK_EVERY_SECONDS)
            return str(found)
    except TimeoutError:
        return None


async def plan_rewind(
    connection: Connection,
    log: LogReader,
    *,
    consumer: str,
    topic: str,
    partition: int | None = None,
    to_offset: int | None = None,
    to_time: datetime | None = None,
) -> list[Move]:
    """Plan to read again from an offset (of one partition) or from a moment; only positions that lie ahead of it."""
    moves = []
    for held in await _partitions(connection, consumer, topic, partition):
        start, end = await log.bounds(topic, held.partition)
        target = to_offset
        if to_time is not None:
            target = await log.offset_at(topic, held.partition, to_time)
        target = end if target is None else max(start, target)
        if target < held.next_offset:
            moves.append(_move(held, target, start, await log.cluster_id()))
    return moves


async def plan_reset(
    connection: Connection,
    log: LogReader,
    *,
    consumer: str,
    topic: str,
    partition: int | None = None,
    to: Literal["earliest", "latest", "keep"] = "earliest",
) -> list[Move]:
    """Plan a new beginning for the positions that were refused; those that fit their log are left out."""
    moves = []
    for held in await _partitions(connection, consumer, topic, partition):
        if held.needs_reset is None:
            continue
        start, end = await log.bounds(topic, held.partition)
        target = {"earliest": start, "latest": end, "keep": min(max(held.next_offset, start), end)}[to]
        joined = end if to == "latest" else start
        moves.append(_move(held, target, joined, await log.cluster_id()))
    return moves


async def rewind(connection: Connection, moves: list[Move], *, reason: str, by: str) -> None:
    """Carry a rewind out, all of it or nothing; raises StalePlan, NoReason."""
    _mind_the_reason(reason)
    async with connection.transaction():
        for move in moves:
            where = (move.consumer, move.topic, move.partition)
            if await connection.fetchval(statement("rewind"), *where, move.to_offset) is None:
                raise StalePlan(f"{move.topic}/{move.partition} cannot be rewound to {move.to_offset} any more")
            await connection.execute(statement("note"), by, "rewind", *where, reason, _told(move))


async def reset(connection: Connection, moves: list[Move], *, reason: str, by: str) -> None:
    """Carry a reset out, all of it or nothing; raises StalePlan, NoReason."""
    _mind_the_reason(reason)
    async with connection.transaction():
        for move in moves:
            where = (move.consumer, move.topic, move.partition)
            moved = await connection.fetchval(
                statement("reset"), *where, move.to_offset, move.cluster_id, move.joined_offset
            )
            if moved is None:
                raise StalePlan(f"{move.topic}/{move.partition} does not need a reset any more")
            await connection.execute(statement("note"), by, "reset", *where, reason, _told(move))


async def _partitions(
    connection: Connection, consumer: str, topic: str, partition: int | None
) -> list[PartitionStatus]:
    positions = await status(connection)
    found = [
        held
        for held in positions
        if (held.consumer, held.topic) == (consumer, topic) and partition in (None, held.partition)
    ]
    if not found:
        known = ", ".join(f"{held.consumer} {held.topic}/{held.partition}" for held in positions[:_NAMED_MAX])
        asked = topic if partition is None else f"{topic}/{partition}"
        raise NeverRead(f"{consumer} has no position in {asked}; positions there are: {known or 'none'}")
    return found


def _mind_the_reason(reason: str) -> None:
    if not reason.strip():
        raise NoReason("a decision needs a reason, which is kept in the audit table")


def _move(held: PartitionStatus, to_offset: int, joined_offset: int, cluster_id: str) -> Move:
    return Move(held.consumer, held.topic, held.partition, held.next_offset, to_offset, joined_offset, cluster_id)


def _told(move: Move) -> str:
    return f"from {move.from_offset} to {move.to_offset}"
