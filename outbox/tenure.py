"""A tenure: one ownership of the cursor, from taking the lease to losing or returning it.

Read what became visible, publish it, remember how far that came; store it at most every 100 ms. The lease is renewed
by a task of its own, also while a publish waits for a broker that is away. Everything here is dropped with the
tenure: a successor starts from what the cursor stores.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from outbox import errors, metrics
from outbox.backlog import Survey, survey
from outbox.backoff import Backoff
from outbox.cursor import LEASE, Cursor, Position
from outbox.housekeeping import keep_house
from outbox.portion import Portion
from outbox.publisher import Publisher, Stamp
from outbox.reader import Batch, Reader
from outbox.rows import OCCURRED_AT, TOPIC, Row
from outbox.session import Session
from outbox.settings import RelaySettings
from outbox.versions import VersionAlarm

_log = logging.getLogger(__name__)

_RENEW_SECONDS = 1.0
_POLL_GROWTH = 1.5
_POLLS_WHILE_WOKEN = 5
_LATENCY_SAMPLES_MAX = 32
_CANCEL_AGAIN_SECONDS = 1.0


class Tenure:
    """Runs one ownership.

    Args:
        settings: the relay's.
        session: the connection that took the lease.
        cursor: what it took.
        publisher: where rows go.
        heard: set when a wake arrives.
        stopping: set when the relay should end.
    """

    def __init__(
        self,
        *,
        settings: RelaySettings,
        session: Session,
        cursor: Cursor,
        publisher: Publisher,
        heard: asyncio.Event,
        stopping: asyncio.Event,
    ) -> None:
        self._settings = settings
        self._session = session
        self._cursor = cursor
        self._publisher = publisher
        self._heard = heard
        self._stopping = stopping
        self._reader = Reader(session, Portion(rows_max=settings.batch_rows_max, bytes_max=settings.batch_bytes_max))
        self._position = cursor.position
        self._kept_at = self._moved_at = self._probed_at = time.monotonic()
        self._unstored = False
        self._poll_seconds = settings.poll_seconds_min
        self._backoff = Backoff(seconds_max=settings.backoff_seconds_max)
        self._alarm = VersionAlarm()
        self._stamp = Stamp(cursor.history, cursor.epoch, frozenset())
        self._waiting = _Waiting()
        self.worked = False
        """Whether it came so far as to finish a turn: what ended it later was no fault of its beginning."""
        flush = settings.flush_before_publish
        self._flushes = cursor.flush_advised if flush is None else flush

    async def run(self) -> None:
        """Serve until the relay stops or the tenure ends; then return the lease if it is still ours.

        Raises:
            errors.Fenced: another relay took the cursor.
            errors.NeedsOperator: no restart can help.
            OSError, asyncpg.PostgresError: the session is lost.
        """
        try:
            await _first_to_end(self._turns(), self._keep_lease(), self._keep_house())
            await self._store()
        finally:
            metrics.PAUSED.set(0)
            metrics.OLDEST_UNSENT_SECONDS.set(0)
            metrics.BACKLOG_ROWS.set(0)

    async def _turns(self) -> None:
        """Until stopped: open the publisher, finish an inherited backlog, then turn after turn."""
        while not self._stopping.is_set() and not await self._publisher_opened():
            pass
        while not self._stopping.is_set():
            if self._cursor.paused:
                await self._wait_unless_stopped(_RENEW_SECONDS)
            elif self._position.target is not None:
                await self._walk()
            else:
                await self._turn()
            self.worked = True

    async def _turn(self) -> None:
        """One difference: read, publish, move on; then rest until there may be more."""
        woken = self._heard.is_set()
        self._heard.clear()
        batch = await self._reader.difference(self._position)
        if batch.overflowed:
            await self._move(replace(self._position, target=batch.position.seen), at_once=True)
            return
        if batch.rows and not await self._published(batch):
            return
        await self._move(batch.position, published=bool(batch.rows))
        if batch.rows:
            self._poll_seconds = self._poll_after(woken=woken)
        await self._rest(self._poll_seconds)

    def _poll_after(self, *, woken: bool) -> float:
        """When to look again after rows: soon if nobody announced them, less so where wakes arrive."""
        least, most = self._settings.poll_seconds_min, self._settings.poll_seconds_max
        return max(least, most / _POLLS_WHILE_WOKEN) if woken else least

    async def _walk(self) -> None:
        """A backlog: window after window to the frozen target, the next one read while the last is published."""
        way = await survey(self._settings.dsn, self._position, f"outbox-survey {self._settings.instance}")
        _log.info("relay.backlog", extra={"rows": way.rows, "from_seq": way.first_seq, "to_seq": way.last_seq})
        self._waiting.behind = way.rows
        self._position = replace(self._position, walked_seq=max(self._position.walked_seq, way.first_seq - 1))
        async with self._session.planned_anew():
            await self._walk_windows(way)
        if self._position.walked_seq >= way.last_seq and self._position.target is not None:
            await self._move(Position(self._position.target), at_once=True)
            self._waiting.behind = 0

    async def _walk_windows(self, way: Survey) -> None:
        ahead = asyncio.ensure_future(self._reader.window(self._position))
        try:
            while self._position.walked_seq < way.last_seq and not self._stopping.is_set() and not self._cursor.paused:
                batch = await ahead
                ahead = asyncio.ensure_future(self._reader.window(batch.position))
                if batch.rows and not await self._published(batch):
                    await asyncio.gather(ahead, return_exceptions=True)
                    ahead = asyncio.ensure_future(self._reader.window(self._position))
                    continue
                self._waiting.behind -= len(batch.rows)
                await self._move(batch.position, published=bool(batch.rows))
        finally:
            await asyncio.gather(ahead, return_exceptions=True)

    async def _publisher_opened(self) -> bool:
        try:
            await self._publisher.open()
        except errors.PublishFailed as cause:
            await self._back_off(cause)
            return False
        self._backoff.succeeded()
        return True

    async def _published(self, batch: Batch) -> bool:
        """Publish and count; False after a failure that passes, backed off already: read the rows anew."""
        await self._be_sure_of_the_lease()
        self._waiting.begin(batch)
        if self._flushes:
            await self._session.execute("flush")
        started = time.monotonic()
        try:
            await self._publisher.publish(batch.rows, self._stamped())
        except errors.PublishFailed as cause:
            await self._back_off(cause)
            return False
        self._backoff.succeeded()
        self._count(batch.rows, time.monotonic() - started)
        self._waiting.end()
        return True

    def _stamped(self) -> Stamp:
        voids = self._reader.voids.event_ids
        if self._stamp.voids is not voids:
            self._stamp = replace(self._stamp, voids=voids)
        return self._stamp

    def _count(self, rows: Any, publish_seconds: float) -> None:
        metrics.PUBLISH_SECONDS.observe(publish_seconds)
        metrics.BATCH_ROWS.observe(len(rows))
        _count_by_topic(rows)
        for row in rows[:: max(1, len(rows) // _LATENCY_SAMPLES_MAX)]:
            metrics.COMMIT_TO_ACK_SECONDS.observe(self._waiting.age_seconds(row))
        steps = self._alarm.acknowledged(rows)
        if steps.gaps or steps.inversions:
            metrics.VERSION_GAP.inc(steps.gaps)
            metrics.VERSION_INVERSION.inc(steps.inversions)
            facts = {"gaps": steps.gaps, "inversions": steps.inversions, "sample": "; ".join(steps.samples)}
            _log.error("relay.versions_out_of_step", extra=facts)

    async def _move(self, position: Position, *, published: bool = False, at_once: bool = False) -> None:
        """Everything up to the position is acknowledged; store that if it is due."""
        self._position = position
        self._unstored |= published
        self._moved_at = time.monotonic()
        due = self._unstored and self._moved_at - self._kept_at >= self._settings.advance_seconds
        if due or at_once:
            await self._store()

    async def _store(self) -> None:
        self._unstored = False
        await self._cursor.advance(self._position)
        self._kept_at = time.monotonic()
        metrics.PAUSED.set(self._cursor.paused)

    async def _keep_lease(self) -> None:
        """Renew whenever a second passed without storing; never ends by itself."""
        while True:
            await asyncio.sleep(max(0.05, _RENEW_SECONDS - (time.monotonic() - self._kept_at)))
            if time.monotonic() - self._kept_at >= _RENEW_SECONDS:
                await self._store()
            await self._look_at_what_waits()
            self._waiting.report()

    async def _look_at_what_waits(self) -> None:
        """Where nothing moved for a second (paused, the broker away), ask the table; a slow answer is left."""
        if time.monotonic() - self._moved_at < _RENEW_SECONDS:
            self._waiting.found = (0, 0.0)
        elif time.monotonic() - self._probed_at >= _RENEW_SECONDS:
            self._probed_at = time.monotonic()
            with contextlib.suppress(TimeoutError):
                self._waiting.found = await self._reader.waiting(self._position)

    async def _keep_house(self) -> None:
        """Partitions, on a connection of its own; its troubles never end the tenure."""
        await keep_house(
            self._settings.dsn,
            self._settings.instance,
            retention=timedelta(hours=self._settings.retention_hours),
            every_seconds=self._settings.housekeeping_seconds,
        )

    async def _be_sure_of_the_lease(self) -> None:
        """After a freeze the lease may be another's: ask before anything is sent."""
        if time.monotonic() - self._kept_at >= LEASE.total_seconds():
            await self._store()

    async def _back_off(self, cause: errors.PublishFailed) -> None:
        seconds = self._backoff.failed()
        metrics.PUBLISH_FAILURES.inc()
        _log.warning("relay.publish_failed", extra={"reason": cause.reason, "retry_seconds": round(seconds, 3)})
        await self._wait_unless_stopped(seconds)

    async def _wait_unless_stopped(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _rest(self, seconds: float) -> None:
        """Until a wake or for so long; quiet stretches grow the rest."""
        try:
            await asyncio.wait_for(self._heard.wait(), seconds)
        except TimeoutError:
            self._poll_seconds = min(self._poll_seconds * _POLL_GROWTH, self._settings.poll_seconds_max)


class _Waiting:
    """What is not acknowledged, for the gauges: read already, or found waiting; ages by the database's clock."""

    def __init__(self) -> None:
        self.behind = 0
        self.found = (0, 0.0)
        """Rows and the age of the oldest, asked of the table while nothing moves."""
        self._batch: Batch | None = None
        self._server_time: datetime | None = None
        self._at = 0.0

    def begin(self, batch: Batch) -> None:
        self._batch = batch
        self._at = time.monotonic()
        self._server_time = batch.read_at

    def end(self) -> None:
        self._batch = None

    def age_seconds(self, row: Row) -> float:
        if self._server_time is None:
            return 0.0
        now = self._server_time + timedelta(seconds=time.monotonic() - self._at)
        age: timedelta = now - row[OCCURRED_AT]
        return max(0.0, age.total_seconds())

    def report(self) -> None:
        rows = self._batch.rows if self._batch is not None else ()
        found_rows, found_seconds = self.found
        metrics.BACKLOG_ROWS.set(max(self.behind, len(rows), found_rows))
        metrics.OLDEST_UNSENT_SECONDS.set(max(self.age_seconds(rows[0]) if rows else 0.0, found_seconds))


def _count_by_topic(rows: Any) -> None:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row[TOPIC]] = counts.get(row[TOPIC], 0) + 1
    for topic, count in counts.items():
        metrics.PUBLISHED.labels(topic).inc(count)


async def _first_to_end(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run side by side until one ends; the others are cancelled, and its outcome is ours."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _all_ended(tasks)
    for task in done:
        task.result()


async def _all_ended(tasks: Collection[asyncio.Future[None]]) -> None:
    """Cancel until all have ended: `asyncio.wait_for` before Python 3.12 loses a cancellation that meets a result."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
