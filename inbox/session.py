"""One membership of the group: lanes come with an assignment and go with a revocation, hints go out on a timer."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import asyncpg

from inbox import metrics
from inbox.application import Application
from inbox.decisions import Decisions
from inbox.lane import Lane
from inbox.ownership import Ownership
from inbox.parking import parked_keys
from inbox.source import SessionBroken
from inbox.statements import statement

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from uuid import UUID

    from aiokafka import TopicPartition
    from opentelemetry.trace import Tracer

    from inbox.application import Handler
    from inbox.connections import Connections
    from inbox.dead_letters import DeadLetters
    from inbox.policy import Limits, TopicPolicy
    from inbox.source import Source

_GAUGES_EVERY_SECONDS = 5.0
_ROTATE_EVERY_SECONDS = 3600.0

log = logging.getLogger("inbox")


class Session:
    """From joining the group to leaving it."""

    def __init__(
        self,
        *,
        consumer: str,
        owner: UUID,
        topics: Mapping[str, TopicPolicy],
        handler: Handler,
        source: Source,
        connections: Connections,
        dead_letters: DeadLetters,
        limits: Limits,
        tracer: Tracer,
        clock: Callable[[], float],
        jitter: Callable[[float, float], float],
        applications: Callable[..., Application] = Application,
    ) -> None:
        self._consumer = consumer
        self._topics = topics
        self._handler = handler
        self._source = source
        self._connections = connections
        self._dead_letters = dead_letters
        self._limits = limits
        self._tracer = tracer
        self._clock = clock
        self._jitter = jitter
        self._applications = applications
        self._ownership = Ownership(consumer=consumer, owner=owner, source=source, connections=connections)
        self._lanes: dict[TopicPartition, tuple[Lane, asyncio.Task[None]]] = {}
        self._hints: dict[TopicPartition, int] = {}
        self._missing: frozenset[str] = frozenset()
        self._leaving = False
        self._joining: asyncio.Task[None] | None = None
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, stopping: asyncio.Event) -> None:
        """Stay in the group until told to stop; raises what ended a lane or the membership."""
        staying = asyncio.create_task(self._stay(), name="inbox membership")
        asked = asyncio.create_task(stopping.wait(), name="inbox stop")
        try:
            endings: list[asyncio.Future[Any]] = [staying, asked, self._broken]
            await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
            for ended in (self._broken, staying):
                if ended.done():
                    ended.result()
        finally:
            self._leaving = True
            await self._finish_joining()
            await _cancelled(staying, asked)
            await self._close_lanes()
            await self._source.stop()
            self._broken.cancel()

    async def _finish_joining(self) -> None:
        """Connections are not dropped half made: a stop waits for them, within its bound."""
        if self._joining is not None and not self._joining.done():
            await asyncio.wait([self._joining], timeout=self._limits.stop_seconds_max)

    async def _assigned(self, partitions: frozenset[TopicPartition]) -> None:
        if self._leaving:
            return  # a rebalance that ends while we leave; nobody would close these lanes
        for at in sorted(partitions):
            self._open_lane(at)

    async def _revoked(self, partitions: frozenset[TopicPartition]) -> None:
        log.info("inbox.revoked", extra={"consumer": self._consumer, "partitions": len(partitions)})
        await self._close_lanes()

    def _open_lane(self, at: TopicPartition) -> None:
        policy = self._topics[at.topic]
        application = self._applications(
            consumer=self._consumer,
            policy=policy,
            handler=self._handler,
            limits=self._limits,
            tracer=self._tracer,
            clock=self._clock,
        )
        decisions = Decisions(consumer=self._consumer, policy=policy, application=application, tracer=self._tracer)
        lane = Lane(
            at=at,
            policy=policy,
            source=self._source,
            connections=self._connections,
            ownership=self._ownership,
            application=application,
            decisions=decisions,
            dead_letters=self._dead_letters,
            limits=self._limits,
            hint=self._hints.__setitem__,
            clock=self._clock,
            jitter=self._jitter,
        )
        task = asyncio.create_task(lane.run(), name=f"inbox lane {at.topic}/{at.partition}")
        task.add_done_callback(self._lane_ended)
        self._lanes[at] = (lane, task)

    def _lane_ended(self, task: asyncio.Task[None]) -> None:
        """Tell the session why a lane ended; one that nobody closed may not go in silence."""
        error = task.exception() if not task.cancelled() else None
        if task.cancelled() and any(task is open_lane for _, open_lane in self._lanes.values()):
            error = SessionBroken(f"{task.get_name()} was cancelled by nobody we know")
        if error is not None and not self._broken.done():
            self._broken.set_exception(error)

    async def _close_lanes(self) -> None:
        """Finish or undo what is in hand, within the deadline, then tell the group how far it came."""
        lanes, self._lanes = self._lanes, {}
        closing = [lane.close(task, seconds_max=self._limits.stop_seconds_max) for lane, task in lanes.values()]
        await asyncio.gather(*closing)
        await self._send_hints()

    async def _send_hints(self) -> None:
        hints = dict(self._hints)
        self._hints.clear()
        if hints:
            await self._source.commit(hints)

    async def _stay(self) -> None:
        """Join, then show signs of life and send hints, until cancelled."""
        joining = self._source.start(assigned=self._assigned, revoked=self._revoked)
        self._joining = asyncio.create_task(joining, name="inbox joining")
        await self._joining
        gauges_at = rotate_at = 0.0
        while True:
            await asyncio.sleep(self._limits.hint_every_seconds)
            await self._source.pulse()
            await self._send_hints()
            if time.monotonic() >= gauges_at:
                gauges_at = time.monotonic() + _GAUGES_EVERY_SECONDS
                self._tell_missing()
                await self._quietly(self._measure())
            if time.monotonic() >= rotate_at:
                rotate_at = time.monotonic() + _ROTATE_EVERY_SECONDS
                await self._quietly(self._rotate())

    def _tell_missing(self) -> None:
        missing = self._source.missing()
        if missing - self._missing:
            log.warning("inbox.topics_missing", extra={"consumer": self._consumer, "topics": sorted(missing)})
        self._missing = missing

    async def _measure(self) -> None:
        async with self._connections.take() as connection:
            for topic in self._topics:
                keys = await parked_keys(connection, self._consumer, topic)
                metrics.PARKED_KEYS.labels(self._consumer, topic).set(keys)

    async def _rotate(self) -> None:
        if any(not policy.versioned for policy in self._topics.values()):
            async with self._connections.take() as connection:
                await connection.execute(statement("rotate_seen"), self._limits.seen_days)

    async def _quietly(self, chore: Coroutine[Any, Any, None]) -> None:
        """Do a chore that nobody waits for: when it fails it is done next time."""
        try:
            await chore
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            log.info("inbox.chore_failed", extra={"error": type(error).__name__})


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
