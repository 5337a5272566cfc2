"""One batch, one transaction: read the standing, fold, hand over, store, fence, commit.

Invariants:
- the handler's effects, the watermarks, what is parked and the position commit together or not at all;
- the fence is the last statement: whoever lost the partition meanwhile commits nothing;
- an event is parked only when its own data is at fault, and then its key waits and all others flow.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import asyncpg

from inbox import metrics
from inbox.errors import (
    HandlerCancelled,
    HandlerEndedTransaction,
    HandlerTooSlow,
    InboxError,
    Reject,
    TooManyParkedKeys,
    TransactionCut,
    TryAgain,
)
from inbox.faults import fault_of_surroundings, reason_of
from inbox.fence import Hold, advance
from inbox.parking import park, parked_keys, store_watermarks, unpark
from inbox.standing import standing
from inbox.statements import statement
from inbox.tracing import spans

if TYPE_CHECKING:
    from uuid import UUID

    from opentelemetry.trace import Tracer

    from inbox.batch import Batch
    from inbox.event import Arrival, Event
    from inbox.policy import Limits, TopicPolicy
    from inbox.watermark import Fold, Ref

    Connection = asyncpg.Connection[asyncpg.Record]

Handler = Callable[["asyncpg.Connection[asyncpg.Record]", Sequence["Event"]], Awaitable[None]]
"""Applies events inside the inbox's transaction, in the order given; raises Reject for bad data; never commits."""

_AGES_OBSERVED_MAX = 32
"""Of a larger batch only so many ages are observed, evenly: all of them took 8 % of its time."""

_NEARLY = 0.8
"""The server's clock of idleness starts before the handler does, with the answer to the last statement."""

log = logging.getLogger("inbox")


class Application:
    """Applies the batches of one topic for one consumer."""

    def __init__(
        self,
        *,
        consumer: str,
        policy: TopicPolicy,
        handler: Handler,
        limits: Limits,
        tracer: Tracer,
        clock: Callable[[], float],
    ) -> None:
        self._consumer = consumer
        self._policy = policy
        self._handler = handler
        self._limits = limits
        self._tracer = tracer
        self._clock = clock

    async def apply(self, connection: Connection, hold: Hold, batch: Batch) -> Hold:
        """Apply a batch and return the hold at its new position.

        Raises Fenced, TooManyParkedKeys, or a failure of the surroundings; nothing of the batch is committed then.
        """
        try:
            return await self._apply(connection, hold, batch)
        except asyncpg.InterfaceError as error:
            beneath = _beneath(error)
            if beneath is None:
                raise
            raise beneath from beneath.__cause__

    async def _apply(self, connection: Connection, hold: Hold, batch: Batch) -> Hold:
        try:
            return await self._attempt(connection, hold, batch, one_by_one=False)
        except Exception as error:
            if isinstance(error, InboxError) and not isinstance(error, Reject):
                raise
            if fault_of_surroundings(error):
                raise
            log.warning("inbox.batch_refused", extra=self._facts(hold, events=len(batch.arrivals), error=type(error)))
        return await self._attempt(connection, hold, batch, one_by_one=True)

    async def _attempt(self, connection: Connection, hold: Hold, batch: Batch, *, one_by_one: bool) -> Hold:
        began = time.perf_counter()
        with ExitStack() as until_commit:
            async with connection.transaction():
                adopt = self._policy.first_version == "adopt" or hold.truncated
                fold = await standing(connection, self._consumer, self._policy, batch.arrivals, adopt=adopt)
                folded = fold({})
                events = until_commit.enter_context(spans(self._tracer, self._consumer, events_of(folded)))
                if one_by_one:
                    folded = fold(await self.hand_over_one_by_one(connection, events))
                elif events:
                    await self._hand_over(connection, events)
                parked = await self._store(connection, hold, folded)
                moved = await advance(
                    connection,
                    hold,
                    from_offset=batch.from_offset,
                    next_offset=batch.next_offset,
                    last_event_id=batch.last_event_id,
                )
        self._count(folded, parked, time.perf_counter() - began)
        return moved

    async def hand_over_one_by_one(self, connection: Connection, events: Sequence[Event]) -> dict[Ref, str]:
        """Hand events over each in a savepoint of its own; returns the refused ones with the reasons.

        What follows a refused event of the same key is not handed over.
        """
        rejected: dict[Ref, str] = {}
        waits: set[str] = set()
        for event in events:
            if event.key in waits:
                continue
            try:
                async with connection.transaction():
                    await self._hand_over(connection, [event])
                    await connection.execute(statement("settle_constraints"))
            except Exception as error:
                if not connection.is_closed() and not connection.is_in_transaction():
                    raise HandlerEndedTransaction(self._policy.name) from error
                if fault_of_surroundings(error):
                    raise
                waits.add(event.key)
                rejected[event.key, event.version, event.event_id] = reason_of(error)
        return rejected

    async def _hand_over(self, connection: Connection, events: Sequence[Event]) -> None:
        """Call the handler within its bound; what is nobody's fault but its surroundings' comes out as TryAgain."""
        began = time.monotonic()
        bound = asyncio.timeout(self._limits.handler_seconds_max)
        try:
            async with bound:
                await self._handler(connection, events)
        except asyncio.CancelledError as error:
            if _being_cancelled():
                raise
            raise HandlerCancelled from error
        except Exception as error:
            if bound.expired():
                raise HandlerTooSlow(self._limits.handler_seconds_max, len(events)) from error
            self._mind_the_transaction(connection, time.monotonic() - began, error)
            raise
        self._mind_the_transaction(connection, time.monotonic() - began, None)

    def _mind_the_transaction(self, connection: Connection, seconds: float, error: Exception | None) -> None:
        """Look, without asking the server, whether the transaction is still there."""
        idle = self._limits.idle_transaction_seconds_max
        if connection.is_closed():
            if seconds >= idle * _NEARLY:
                raise TransactionCut(seconds, idle) from error
        elif not connection.is_in_transaction():
            raise HandlerEndedTransaction(self._policy.name) from error

    async def _store(self, connection: Connection, hold: Hold, folded: Fold[Arrival]) -> set[UUID]:
        if folded.watermarks:
            await store_watermarks(connection, self._consumer, self._policy.name, folded.watermarks)
        if folded.drained:
            await unpark(connection, self._consumer, self._policy.name, folded.drained)
        if not folded.park:
            return set()
        parked = await park(connection, self._consumer, self._policy.name, hold.at.partition, folded.park)
        if folded.newly_parked:
            await self._mind_the_ceiling(connection, folded.park[-1][1])
        return parked

    async def _mind_the_ceiling(self, connection: Connection, reason: str) -> None:
        keys = await parked_keys(connection, self._consumer, self._policy.name)
        if keys > self._limits.parked_keys_max:
            raise TooManyParkedKeys(self._policy.name, keys, self._limits.parked_keys_max, reason)

    def _count(self, folded: Fold[Arrival], parked: set[UUID], seconds: float) -> None:
        labels = (self._consumer, self._policy.name)
        now = self._clock()
        voids = sum(arrival.void for arrival in folded.apply)
        metrics.APPLIED.labels(*labels).inc(len(folded.apply) - voids)
        metrics.VOID.labels(*labels).inc(voids)
        metrics.DUPLICATES.labels(*labels).inc(len(folded.duplicates) + len(folded.park) - len(parked))
        metrics.ADOPTED.labels(*labels).inc(folded.adopted)
        metrics.APPLY_SECONDS.labels(*labels).observe(seconds)
        observe = metrics.COMMIT_TO_APPLIED.labels(*labels).observe
        events = events_of(folded)
        for event in events[:: 1 + len(events) // _AGES_OBSERVED_MAX]:
            observe(max(0.0, now - event.occurred_at.timestamp()))
        for key, why in folded.newly_parked.items():
            {"gap": metrics.GAP, "fork": metrics.FORK, "poison": metrics.POISON}[why].labels(*labels).inc()
            log.error("inbox.key_parked", extra={"consumer": labels[0], "topic": labels[1], "key": key, "why": why})

    def _facts(self, hold: Hold, **facts: object) -> dict[str, object]:
        return {"consumer": self._consumer, "topic": hold.at.topic, "partition": hold.at.partition, **facts}


def events_of(folded: Fold[Arrival]) -> list[Event]:
    """Return what the handler is to see: voids count, but have nothing to hand over."""
    return [arrival.event for arrival in folded.apply if arrival.event is not None and not arrival.void]


def _beneath(error: asyncpg.InterfaceError) -> TryAgain | None:
    """Return what went wrong first: leaving a transaction whose connection is closed hides it behind another error."""
    beneath: BaseException | None = error
    while isinstance(beneath, asyncpg.InterfaceError):
        beneath = beneath.__context__
    return beneath if isinstance(beneath, TryAgain) else None


def _being_cancelled() -> bool:
    """Tell whether it is our own task that somebody stops; a handler's stray CancelledError leaves no such trace."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
