"""The sender: one loop that writes what calls answered, claims due chats and starts their calls.

Invariants: at most `calls_max` calls in flight, one per chat; an answer is kept until the ledger has it, however long
the ledger is away; a stop waits for the calls in flight, each bounded by the messenger, and writes what they answered.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from chassis.logs import get_logger
from chassis.telemetry import extracted
from services.notification import metrics
from services.notification.domain.lane import Assignment
from services.notification.domain.notification import State
from services.notification.domain.outcome import BotRefused, Delivered, Limited, NotCalled, RetryLater, Uncertain
from services.notification.domain.settlement import AT_ONCE
from services.notification.service.delivery import BotStopped, Called, Delivery
from services.notification.service.ports import Finished, LedgerAway

log = get_logger()
tracer = trace.get_tracer(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How eagerly the sender works. Polls double from the shortest pause to the longest while nothing is due."""

    calls_max: int
    poll_seconds_min: float = 0.002
    poll_seconds_max: float = 0.02
    away_seconds_min: float = 0.1
    away_seconds_max: float = 1.0
    claim_seconds_max: float
    """How old a claim may be when its call leaves; an older one is not made, because its lease may end under it."""


class Sender:
    """Runs until stopped; raises BotStopped when Telegram no longer accepts the token."""

    def __init__(self, *, delivery: Delivery, pace: Pace) -> None:
        self._delivery = delivery
        self._pace = pace
        self._calls: set[asyncio.Task[Called]] = set()
        self._answers: list[Called] = []
        self._in_flight: set[int] = set()
        self._claim_unknown = False
        self._stopping = asyncio.Event()
        self._pause = pace.poll_seconds_min

    def stop(self) -> None:
        """Ask for the end: nothing more is claimed."""
        self._stopping.set()

    async def run(self) -> None:
        """Deliver until stopped."""
        try:
            while not self._stopping.is_set():
                await self._turn()
        finally:
            await self._drain()

    async def _turn(self) -> None:
        try:
            wrote = await self._write_answers()
            claimed = await self._claim()
        except LedgerAway as error:
            log.warning("sender.ledger_away", reason=str(error), answers_kept=len(self._answers))
            metrics.LEDGER_AWAY.inc()
            await self._rest(self._longer(self._pace.away_seconds_min, self._pace.away_seconds_max))
            return
        if wrote or claimed:
            self._pause = self._pace.poll_seconds_min
        await self._rest(self._longer(self._pace.poll_seconds_min, self._pace.poll_seconds_max))

    async def _write_answers(self) -> bool:
        """Write what calls answered; keep it if the ledger is away."""
        answers = list(self._answers)
        if not answers:
            return False
        try:
            closed = await self._delivery.settle(answers)
        except BotStopped:
            self._forget(answers)
            raise
        self._forget(answers)
        metrics.FENCED.inc(closed.fenced)
        _count_finished(closed.finished)
        return True

    async def _claim(self) -> bool:
        """Claim as many chats as there is room for and start their calls."""
        room = self._pace.calls_max - len(self._in_flight)
        if room <= 0:
            return False
        if self._claim_unknown:
            log.info("sender.claims_handed_back", rows=await self._delivery.hand_back(self._in_flight))
        self._claim_unknown = True
        claimed_at = asyncio.get_running_loop().time()
        claimed = await self._delivery.claim(room)
        self._claim_unknown = False
        for assignment in claimed.assignments:
            self._in_flight.add(assignment.lane.chat_id)
            self._calls.add(asyncio.create_task(self._call(assignment, claimed_at)))
        metrics.IN_FLIGHT.set(len(self._calls))
        _count_finished(claimed.finished)
        return claimed.lanes > 0

    async def _call(self, assignment: Assignment, claimed_at: float) -> Called:
        """Make one call inside a span that continues the trace of the status change."""
        row = assignment.notification
        parent = extracted({"traceparent": row.traceparent} if row.traceparent else {})
        with tracer.start_as_current_span(f"notification {row.call}", parent, SpanKind.CLIENT) as span:
            span.set_attributes({"onelane.order_id": row.order_id, "onelane.version": row.version})
            age_seconds = asyncio.get_running_loop().time() - claimed_at
            called = await self._call_unless_late(assignment, age_seconds)
            outcome = type(called.outcome).__name__
            span.set_attribute("onelane.outcome", outcome)
            metrics.CALLS.labels(str(row.call), outcome).inc()
            _log(called)
            return called

    async def _call_unless_late(self, assignment: Assignment, age_seconds: float) -> Called:
        if age_seconds > self._pace.claim_seconds_max:
            return Called(assignment=assignment, outcome=NotCalled(AT_ONCE, "the claim was too old"))
        return await self._delivery.call(assignment)

    async def _rest(self, seconds: float) -> None:
        """Until a call is over, the stop is asked for or the pause has passed; without room, until a call is over."""
        stop = asyncio.create_task(self._stopping.wait())
        full = len(self._calls) >= self._pace.calls_max
        await asyncio.wait({stop, *self._calls}, timeout=None if full else seconds, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        self._collect()

    def _collect(self) -> None:
        """Take the answers of the calls that are over; a call that raised is a fault of ours and ends the process."""
        over = {task for task in self._calls if task.done()}
        self._calls -= over
        metrics.IN_FLIGHT.set(len(self._calls))
        self._answers.extend(task.result() for task in over if task.exception() is None)
        for task in over:
            task.result()

    def _forget(self, answers: Sequence[Called]) -> None:
        del self._answers[: len(answers)]
        self._in_flight.difference_update(answer.assignment.lane.chat_id for answer in answers)

    def _longer(self, shortest: float, longest: float) -> float:
        pause = min(max(self._pause, shortest), longest)
        self._pause = pause * 2
        return pause

    async def _drain(self) -> None:
        """Wait for the calls in flight and write what they answered; the process's stop bounds how long it is tried."""
        if self._calls:
            await asyncio.wait(self._calls)
        try:
            self._collect()
        finally:
            await self._write_until_written()

    async def _write_until_written(self) -> None:
        while self._answers:
            try:
                await self._write_answers()
            except LedgerAway as error:
                log.warning("sender.ledger_away", reason=str(error), answers_kept=len(self._answers))
                await asyncio.sleep(self._pace.away_seconds_max)


def _log(called: Called) -> None:
    """Tell what was not delivered; a call that a limit of ours held back is ordinary."""
    row = called.assignment.notification
    facts = {"order_id": row.order_id, "version": row.version, "call": row.call, "reason": _reason(called)}
    match called.outcome:
        case Delivered():
            return
        case NotCalled():
            log.debug("sender.not_called", **facts)
        case outcome:
            log.warning("sender.not_delivered", outcome=type(outcome).__name__, **facts)


def _reason(called: Called) -> str | None:
    """Our own words only: what Telegram said stays in the ledger."""
    match called.outcome:
        case (
            RetryLater(reason=reason) | NotCalled(reason=reason) | Uncertain(reason=reason) | BotRefused(reason=reason)
        ):
            return reason
        case Limited():
            return "too many requests"
        case _:
            return None


def _count_finished(finished: Iterable[Finished]) -> None:
    for row in finished:
        metrics.FINISHED.labels(row.state).inc()
        if row.state is State.DELIVERED:
            metrics.DELIVERED_SECONDS.observe(row.latency.total_seconds())
        if row.state is State.UNCERTAIN:
            metrics.UNCERTAIN.inc()
