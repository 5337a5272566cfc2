"""The process that reads: joins the group, gives every partition a lane of its own, and stops only for an operator.

Invariants:
- a partition is worked on only by a lane of the current assignment, and lanes are closed before it is given away;
- `run` raises nothing but NeedsOperator: whatever else fails is waited out, with a new Kafka consumer if need be.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
import time
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from opentelemetry import trace

from inbox import metrics
from inbox.application import Application, Handler
from inbox.connections import Connections
from inbox.dead_letters import DeadLetters, KafkaDeadLetters
from inbox.errors import BadLimits, NeedsOperator
from inbox.kafka import KafkaSource, refuse_unknown_options
from inbox.policy import Limits, TopicPolicy
from inbox.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from inbox.source import Source

__all__ = ["Handler", "Runner"]

log = logging.getLogger("inbox")


class Runner:
    """Applies the events of some topics exactly once in one database.

    consumer: the name under which the database remembers what was applied. dsn: a direct connection as the
    application's role. instance_id: makes the member static, so that a restart within the session moves no partition;
    unique per process. kafka_options: passed to every aiokafka client (security settings).
    """

    def __init__(
        self,
        *,
        consumer: str,
        topics: Sequence[TopicPolicy],
        handler: Handler,
        dsn: str,
        bootstrap_servers: str,
        group_id: str | None = None,
        instance_id: str | None = None,
        limits: Limits | None = None,
        kafka_options: Mapping[str, Any] | None = None,
        dead_letters: DeadLetters | None = None,
        sources: Callable[[], Source] | None = None,
        applications: Callable[..., Application] = Application,
        tracer: trace.Tracer | None = None,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        for name, value in (("consumer", consumer), ("dsn", dsn), ("bootstrap_servers", bootstrap_servers)):
            if not value:
                raise BadLimits(name, value, "must not be empty")
        if not topics:
            raise BadLimits("topics", topics, "must be at least one")
        if len({policy.name for policy in topics}) < len(topics):
            raise BadLimits("topics", [policy.name for policy in topics], "must name each topic once")
        if not _is_async(handler):
            raise BadLimits("handler", handler, "must be an `async def` that takes (connection, events)")
        refuse_unknown_options(kafka_options or {})
        self._consumer = consumer
        self._topics = {policy.name: policy for policy in topics}
        self._handler = handler
        self._dsn = dsn
        self._bootstrap_servers = bootstrap_servers
        self._group_id = group_id or consumer
        self._instance_id = instance_id
        self._limits = limits or Limits()
        self._kafka_options = dict(kafka_options or {})
        self._dead_letters = dead_letters
        self._sources = sources or self._kafka_source
        self._applications = applications
        self._tracer = tracer
        self._clock = clock
        self._jitter = jitter
        self._owner = uuid4()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Apply until stopped; raises only NeedsOperator."""
        connections = Connections(self._dsn, name=f"inbox {self._consumer}", limits=self._limits)
        dead_letters = self._dead_letters or KafkaDeadLetters(
            bootstrap_servers=self._bootstrap_servers, options=self._kafka_options
        )
        try:
            while not self._stopping.is_set():
                await self._session(connections, dead_letters)
        finally:
            await dead_letters.close()
            await connections.close()

    def stop(self) -> None:
        """Ask for a graceful end; `run` returns when the batches in hand are done. May be called twice."""
        self._stopping.set()

    async def _session(self, connections: Connections, dead_letters: DeadLetters) -> None:
        session = Session(
            consumer=self._consumer,
            owner=self._owner,
            topics=self._topics,
            handler=self._handler,
            source=self._sources(),
            connections=connections,
            dead_letters=dead_letters,
            limits=self._limits,
            tracer=self._tracer or trace.get_tracer("inbox"),
            clock=self._clock,
            jitter=self._jitter,
            applications=self._applications,
        )
        try:
            await session.run(self._stopping)
        except NeedsOperator:
            raise
        except Exception as error:
            metrics.RESTARTS.labels(self._consumer).inc()
            log.warning("inbox.session_ended", extra={"consumer": self._consumer}, exc_info=error)
            await self._pause()

    async def _pause(self) -> None:
        seconds = self._jitter(self._limits.retry_seconds_min, self._limits.retry_seconds_max)
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _kafka_source(self) -> Source:
        return KafkaSource(
            bootstrap_servers=self._bootstrap_servers,
            group_id=self._group_id,
            instance_id=self._instance_id,
            topics=list(self._topics),
            limits=self._limits,
            options=self._kafka_options,
        )


def _is_async(handler: object) -> bool:
    """Tell whether calling it gives something to await: what a plain function does is outside every bound."""
    while isinstance(handler, partial):
        handler = handler.func
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)
