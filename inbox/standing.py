"""Where the keys of a batch stand, read and locked in the batch's transaction; then the fold is a matter of thought."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from inbox.event import Arrival
from inbox.parking import lock_watermarks, read_tails, waiting
from inbox.statements import statement
from inbox.watermark import Fold, Ref, Watermark, fold_ids, fold_versions

if TYPE_CHECKING:
    from uuid import UUID

    import asyncpg

    from inbox.policy import TopicPolicy

_NO_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a record's timestamp outside the years 1 to 9999; the same one each time it comes."""

Standing = Callable[[Mapping[Ref, str]], Fold[Arrival]]
"""Given what the handler refused so far, tells what is to be done with the batch."""


async def standing(
    connection: asyncpg.Connection[asyncpg.Record],
    consumer: str,
    policy: TopicPolicy,
    arrivals: Sequence[Arrival],
    *,
    adopt: bool,
) -> Standing:
    """Lock the keys of the batch and return the fold over what was found."""
    marks = await lock_watermarks(connection, consumer, policy.name, {arrival.key for arrival in arrivals})
    if not policy.versioned:
        fresh = await _fresh(connection, consumer, policy.name, arrivals)
        parked = {key for key, mark in marks.items() if mark.parked}
        return lambda rejected: fold_ids(arrivals, fresh=fresh, parked=parked, rejected=rejected)
    if come_again := _keys_come_again(arrivals, marks):
        await read_tails(connection, consumer, policy.name, come_again, marks)
    keys = _keys_that_may_drain(arrivals, marks)
    stored = await waiting(connection, consumer, policy.name, keys, versioned=True) if keys else {}
    fold = partial(fold_versions, arrivals, marks, waiting=stored, adopt=adopt)
    return lambda rejected: fold(rejected=rejected)


def _keys_come_again(arrivals: Sequence[Arrival], marks: Mapping[str, Watermark]) -> set[str]:
    applied = {key: mark.version for key, mark in marks.items()}
    return {
        arrival.key
        for arrival in arrivals
        if arrival.version is not None and arrival.version <= applied.get(arrival.key, 0)
    }


def _keys_that_may_drain(arrivals: Sequence[Arrival], marks: Mapping[str, Watermark]) -> set[str]:
    gaps = {key: mark.version + 1 for key, mark in marks.items() if mark.parked == "gap"}
    return {arrival.key for arrival in arrivals if gaps and gaps.get(arrival.key) == arrival.version}


async def _fresh(
    connection: asyncpg.Connection[asyncpg.Record], consumer: str, topic: str, arrivals: Sequence[Arrival]
) -> set[UUID]:
    rows = await connection.fetch(
        statement("see"),
        consumer,
        topic,
        [arrival.event_id for arrival in arrivals],
        [_own_time(arrival) for arrival in arrivals],
    )
    return {row["event_id"] for row in rows}


def _own_time(arrival: Arrival) -> datetime:
    """Return the event's own time, never ours: a repeat must meet the same row."""
    if arrival.event is not None:
        return arrival.event.occurred_at
    try:
        return datetime.fromtimestamp(arrival.record.timestamp / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return _NO_MOMENT
