"""What an operator decided about parked events, carried out by the owner of the partition, the way events are applied.

Invariants:
- the effect, the fence and the outcome in the audit table commit together;
- an event is never released past one that is parked before it, nor the watermark moved past one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inbox.application import events_of
from inbox.fence import Hold, advance
from inbox.parking import lock_watermarks, park, read_tails, storable, store_watermarks, unpark, waiting
from inbox.statements import statement
from inbox.tracing import spans
from inbox.watermark import Fold, Ref, Watermark, fold_ids, fold_versions, rebased

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    import asyncpg
    from opentelemetry.trace import Tracer

    from inbox.application import Application
    from inbox.event import Arrival
    from inbox.policy import TopicPolicy

    Connection = asyncpg.Connection[asyncpg.Record]


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the audit table that waits to be carried out."""

    id: int
    action: str
    key: str
    event_id: UUID | None


async def pending(connection: Connection, hold: Hold) -> list[Decision]:
    """Return what is to be carried out for this partition, oldest first."""
    rows = await connection.fetch(statement("decisions"), hold.consumer, hold.at.topic, hold.at.partition)
    return [Decision(row["id"], row["action"], row["key"], row["event_id"]) for row in rows]


class Decisions:
    """Carries decisions out for one topic."""

    def __init__(self, *, consumer: str, policy: TopicPolicy, application: Application, tracer: Tracer) -> None:
        self._consumer = consumer
        self._policy = policy
        self._application = application
        self._tracer = tracer

    async def carry_out(self, connection: Connection, hold: Hold, decision: Decision) -> str:
        """Carry one decision out and return its outcome; raises Fenced when this is not the owner."""
        async with connection.transaction():
            outcome = await self._carried_out(connection, hold, decision)
            await connection.execute(statement("finish"), decision.id, storable(outcome))
            stays = hold.next_offset
            await advance(connection, hold, from_offset=stays, next_offset=stays, last_event_id=hold.last_event_id)
        return outcome

    async def _carried_out(self, connection: Connection, hold: Hold, decision: Decision) -> str:
        key, topic = decision.key, self._policy.name
        marks = await lock_watermarks(connection, self._consumer, topic, [key])
        await read_tails(connection, self._consumer, topic, marks, marks)
        found = await waiting(connection, self._consumer, topic, [key], versioned=self._policy.versioned)
        arrivals = found[key]
        if not arrivals:
            return "refused: nothing is parked under this key"
        mark = marks.get(key, Watermark())
        if decision.action == "release":
            versions = [arrival.version for arrival in arrivals]
            return await self._go_on(connection, hold, key, arrivals, rebased(mark, versions))
        return await self._discard(connection, hold, decision, arrivals, mark)

    async def _discard(
        self, connection: Connection, hold: Hold, decision: Decision, arrivals: Sequence[Arrival], mark: Watermark
    ) -> str:
        target = next((arrival for arrival in arrivals if arrival.event_id == decision.event_id), None)
        if target is None:
            return "refused: this event is not parked under this key"
        first = min((arrival.version for arrival in arrivals if arrival.version is not None), default=None)
        if target.version is not None and first is not None and target.version > first:
            return f"refused: version {first} is parked before version {target.version}"
        await unpark(connection, self._consumer, self._policy.name, [target])
        rest = [arrival for arrival in arrivals if arrival is not target]
        return "dropped one; " + await self._go_on(connection, hold, decision.key, rest, _past(target, mark))

    async def _go_on(
        self, connection: Connection, hold: Hold, key: str, arrivals: Sequence[Arrival], mark: Watermark
    ) -> str:
        folded = self._fold(arrivals, key, mark, {}, hold)
        with spans(self._tracer, self._consumer, events_of(folded)) as events:
            rejected = await self._application.hand_over_one_by_one(connection, events)
        folded = self._fold(arrivals, key, mark, rejected, hold)
        await self._store(connection, hold, arrivals, folded, {key: folded.watermarks.get(key, mark)})
        still = len(folded.park)
        why = f", because: {folded.park[0][1]}" if still else ""
        return f"applied {len(folded.apply)}, still parked {still}{why}"

    def _fold(
        self, arrivals: Sequence[Arrival], key: str, mark: Watermark, rejected: Mapping[Ref, str], hold: Hold
    ) -> Fold[Arrival]:
        if not self._policy.versioned:
            return fold_ids(arrivals, fresh=[a.event_id for a in arrivals], parked=(), rejected=rejected)
        adopt = self._policy.first_version == "adopt" or hold.truncated
        untouched = adopt and mark == Watermark()
        return fold_versions(arrivals, {} if untouched else {key: mark}, rejected=rejected, adopt=adopt)

    async def _store(
        self,
        connection: Connection,
        hold: Hold,
        arrivals: Sequence[Arrival],
        folded: Fold[Arrival],
        marks: Mapping[str, Watermark],
    ) -> None:
        topic = self._policy.name
        await unpark(connection, self._consumer, topic, arrivals)
        if folded.park:
            await park(connection, self._consumer, topic, hold.at.partition, folded.park)
        await store_watermarks(connection, self._consumer, topic, marks)


def _past(target: Arrival, mark: Watermark) -> Watermark:
    """Return the watermark once this event is dropped: as if it had been applied, when it was to come next."""
    if target.version is None or target.version <= mark.version:
        return mark._replace(parked=None)
    return rebased(mark, [target.version]).after(target.event_id)
