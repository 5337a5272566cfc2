"""One partition, one lane: take it, read from where the database says, apply batch after batch, in order, alone.

Invariants:
- nothing is applied before the partition is owned and its position has been compared with the log;
- a batch is held until it is committed: a failure of the surroundings costs time, never an event;
- a batch begins at the position; where its first record lies later, the log was asked twice and holds nothing between;
- a turn undone with no batch in hand may have taken records off the client: the partition is taken and sought anew;
- one batch is applied at a time; at most one more is read ahead meanwhile, and dropped with the hold;
- only what is committed is hinted to Kafka.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from inbox import metrics
from inbox.batch import Batch, batch_of
from inbox.decisions import pending
from inbox.errors import DeadLettersAway, Fenced, NeedsOperator
from inbox.source import PositionLost, SessionBroken
from inbox.statements import statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiokafka import TopicPartition

    from inbox.application import Application
    from inbox.connections import Connections
    from inbox.dead_letters import DeadLetters
    from inbox.decisions import Decisions
    from inbox.event import Record
    from inbox.fence import Hold
    from inbox.ownership import Ownership
    from inbox.policy import Limits, TopicPolicy
    from inbox.source import Source

_POLL_SECONDS_MAX = 0.5
_CANCEL_SECONDS_MAX = 2.0

log = logging.getLogger("inbox")


class Lane:
    """The life of one assigned partition, from the assignment to the revocation."""

    def __init__(
        self,
        *,
        at: TopicPartition,
        policy: TopicPolicy,
        source: Source,
        connections: Connections,
        ownership: Ownership,
        application: Application,
        decisions: Decisions,
        dead_letters: DeadLetters,
        limits: Limits,
        hint: Callable[[TopicPartition, int], None],
        clock: Callable[[], float],
        jitter: Callable[[float, float], float],
    ) -> None:
        self._at = at
        self._policy = policy
        self._source = source
        self._connections = connections
        self._ownership = ownership
        self._application = application
        self._decisions = decisions
        self._dead_letters = dead_letters
        self._limits = limits
        self._hint = hint
        self._clock = clock
        self._jitter = jitter
        self._labels = (ownership.consumer, at.topic)
        self._stopping = asyncio.Event()
        self._busy = False
        self._hold: Hold | None = None
        self._batch: Batch | None = None
        self._ahead: asyncio.Task[Batch | None] | None = None
        self._sought: int | None = None
        self._fenced = False
        self._failures = 0
        self._next_watch = 0.0
        self._oldest: float | None = None

    async def run(self) -> None:
        """Work until closed; raises NeedsOperator, or SessionBroken when the consumer must be built anew."""
        try:
            await self._work()
        finally:
            self._drop_ahead()

    async def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._turn()
                self._failures = 0
            except Fenced as fenced:
                self._step_back(fenced)
            except PositionLost:
                self._forget()
                await self._pause(self._limits.retry_seconds_min)
            except (NeedsOperator, SessionBroken):
                raise
            except Exception as error:  # noqa: BLE001 - a turn is a supervised boundary: undone, counted, tried again
                await self._back_off(error)

    async def close(self, task: asyncio.Task[None], *, seconds_max: float) -> None:
        """Let the batch in hand finish within the bound, or undo it; the fence covers us if even that hangs."""
        self._stopping.set()
        if not self._busy:
            task.cancel()
        done, _ = await asyncio.wait([task], timeout=seconds_max)
        if not done:
            task.cancel()
            await asyncio.wait([task], timeout=_CANCEL_SECONDS_MAX)
        with suppress(KeyError):  # never measured
            metrics.LAG.remove(*self._labels, str(self._at.partition))

    async def _turn(self) -> None:
        if self._fenced:
            await self._give_way()
        if self._hold is None:
            self._hold = await self._ownership.take(self._at)
            self._hint(self._at, self._hold.next_offset)
        if self._batch is None:
            await self._watch(self._hold)
            self._batch = await self._next(self._hold)
            self._unapplied_since(None if self._batch is None else self._batch.timestamp / 1000)
        if self._batch is not None:
            await self._apply(self._hold, self._batch)

    async def _next(self, hold: Hold) -> Batch | None:
        if self._ahead is None:
            return await self._poll(hold.next_offset)
        ahead, self._ahead = self._ahead, None
        return await ahead

    def _read_ahead(self, batch: Batch) -> None:
        """Fetch and read what follows while the database is busy with this batch, if there is anything."""
        if self._ahead is None and self._source.behind(self._at, batch.next_offset):
            self._ahead = asyncio.create_task(self._poll(batch.next_offset), name="inbox read ahead")

    async def _poll(self, next_offset: int) -> Batch | None:
        """Read on from the position.

        A first record beyond it is either a hole of the log (compaction, a transaction's marker) or something that was
        taken and lost on the way: what comes first after a seek to the very position tells which.
        """
        wanted = await self._records(next_offset)
        if wanted and wanted[0].offset > next_offset and self._sought != next_offset:
            self._sought = next_offset
            self._source.seek(self._at, next_offset)
            wanted = await self._records(next_offset)
        if not wanted:
            return None
        return batch_of(wanted, from_offset=next_offset, versioned=self._policy.versioned)

    async def _records(self, next_offset: int) -> list[Record]:
        records = await self._source.poll(
            self._at, records_max=self._limits.batch_events_max, seconds_max=_POLL_SECONDS_MAX
        )
        return [record for record in records if record.offset >= next_offset]

    async def _apply(self, hold: Hold, batch: Batch) -> None:
        self._busy = True
        try:
            await self._send_dead_letters(batch)
            self._read_ahead(batch)
            async with self._connections.take() as connection:
                self._hold = await self._application.apply(connection, hold, batch)
        finally:
            self._busy = False
        self._batch = None
        self._hint(self._at, batch.next_offset)
        metrics.BATCH_EVENTS.labels(*self._labels).observe(len(batch.arrivals))
        if not self._source.behind(self._at, batch.next_offset):
            self._unapplied_since(None)

    async def _send_dead_letters(self, batch: Batch) -> None:
        while batch.keyless:
            topic = self._policy.dead_letters
            try:
                await self._dead_letters.send(topic, batch.keyless[0], consumer=self._labels[0])
            except (KafkaError, OSError, TimeoutError) as error:
                raise DeadLettersAway(topic, error) from error
            del batch.keyless[0]
            metrics.DEAD.labels(*self._labels).inc()
            log.error("inbox.dead_letter", extra={"topic": self._at.topic, "partition": self._at.partition})

    async def _watch(self, hold: Hold) -> None:
        """Notice now and then what no batch would tell: a rewind, another owner, an operator's decision."""
        if time.monotonic() < self._next_watch:
            return
        self._next_watch = time.monotonic() + self._limits.decisions_every_seconds
        async with self._connections.take() as connection:
            row = await connection.fetchrow(
                statement("watch"), hold.consumer, self._at.topic, self._at.partition, hold.epoch
            )
            if row is None or not row["held"]:
                raise Fenced(f"{self._at.topic}/{self._at.partition} was taken")
            for decision in await pending(connection, hold) if row["decided"] else ():
                outcome = await self._decisions.carry_out(connection, hold, decision)
                log.info("inbox.decision_done", extra={"action": decision.action, "outcome": outcome})

    def _step_back(self, fenced: Fenced) -> None:
        """Somebody else wrote the partition's row: what is in hand is not ours to commit."""
        metrics.FENCED.labels(*self._labels).inc()
        log.warning(
            "inbox.fenced", extra={"topic": self._at.topic, "partition": self._at.partition, "why": str(fenced)}
        )
        self._forget()
        self._unapplied_since(None)
        self._fenced = True

    async def _give_way(self) -> None:
        """Take the partition again at once if an operator, or this very process, wrote its row.

        Otherwise wait for the group to say whose it is; if it still says "yours" after a whole session, it is.
        """
        if await self._ownership.taken_by_another(self._at):
            await self._pause(self._limits.session_timeout_seconds)
        self._fenced = False

    async def _back_off(self, error: Exception) -> None:
        self._failures += 1
        if self._batch is None:
            self._forget()
        if self._oldest is None:
            self._unapplied_since(self._clock())
        longest = min(self._limits.retry_seconds_max, self._limits.retry_seconds_min * 2 ** min(self._failures, 20))
        seconds = self._jitter(self._limits.retry_seconds_min, max(longest, self._limits.retry_seconds_min))
        metrics.RETRIES.labels(*self._labels).inc()
        log.warning(
            "inbox.turn_undone",
            extra={
                "topic": self._at.topic,
                "partition": self._at.partition,
                "wait_seconds": round(seconds, 3),
                "error": type(error).__name__,
                "why": str(error),
            },
            exc_info=error,
        )
        await self._pause(seconds)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _forget(self) -> None:
        self._hold = None
        self._batch = None
        self._sought = None
        self._drop_ahead()

    def _drop_ahead(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None and not ahead.cancel():
            ahead.exception()  # whatever became of it, the next seek reads it again

    def _unapplied_since(self, moment: float | None) -> None:
        """Measure the lag from this moment on; it grows by itself until another one, or None, is said."""
        self._oldest = moment
        metrics.LAG.labels(*self._labels, str(self._at.partition)).set_function(self._lag)

    def _lag(self) -> float:
        oldest = self._oldest
        return 0.0 if oldest is None else max(0.0, self._clock() - oldest)
