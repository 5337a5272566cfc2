"""Reads `loms.order-events` with Faust: all that the topic keeps at every start, then what comes.

Invariants: nothing is kept outside memory and no offset means anything, so a killed process misses nothing; a record
that could be neither applied nor set aside ends the process instead of being dropped.

A Faust application cannot be started twice: each reading has its own, and a consumer group of its own with it. So every
replica holds the whole view, and none waits for the session of a killed one.
"""

import asyncio
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.logs import get_logger
from events.topics import ORDER_EVENTS, catalogue
from services.projection.consumers.order_events import Record
from services.projection.service.projection import Projection, Stretch

_SESSION_SECONDS = 10.0
_REBALANCE_SECONDS = 15.0
_WATCH_SECONDS = 0.2

log = get_logger()


class NotReading(Exception):
    """Faust has not begun, or not again."""


class FaustEnded(Exception):
    """Faust stopped without being asked to."""


class FaustReader:
    """A component: the consumer of order events."""

    name = "faust"

    def __init__(
        self,
        *,
        bootstrap_servers: str,
        instance: str,
        projection: Projection,
        handle: Callable[[Record], Awaitable[None]],
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._instance = instance
        self._projection = projection
        self._handle = handle
        self._app: Any = None
        self._failure: Exception | None = None
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Begin to read from the earliest record; the view is whole some time later."""
        async with self._turn:
            await self._begin()

    async def stop(self) -> None:
        """Leave."""
        async with self._turn:
            await self._leave()

    async def rebuild(self) -> None:
        """Forget the view and read everything again; return when that has begun."""
        async with self._turn:
            log.info("projection.rebuild")
            await self._leave()
            await self._begin()

    async def watch(self) -> None:
        """Never return; raise what ended the reading. Faust tells nobody, so it is asked again and again."""
        while self._failure is None:
            app = self._app
            if app is not None and app.crashed:
                raise FaustEnded from app.crash_reason
            await asyncio.sleep(_WATCH_SECONDS)
        raise self._failure

    async def check(self) -> None:
        """Raise while nothing is read: the readiness check. Whether the view is whole is told with every answer."""
        if self._app is None:
            raise NotReading

    async def _begin(self) -> None:
        if self._app is None:
            self._projection.begin(await _stretches(self._bootstrap_servers))
            with tempfile.TemporaryDirectory(prefix="projection-") as folder:
                self._app = self._application(folder)
                await self._app.start()

    async def _leave(self) -> None:
        app, self._app = self._app, None
        if app is not None:
            await app.stop()

    def _application(self, folder: str) -> Any:
        """Make an application without tables or pages; Faust insists on its folder, and leaves it empty."""
        app = faust.App(
            f"projection-{uuid.uuid4()}",
            broker=[f"kafka://{address}" for address in self._bootstrap_servers.split(",")],
            broker_client_id=self._instance,
            broker_session_timeout=_SESSION_SECONDS,
            broker_heartbeat_interval=_SESSION_SECONDS / 4,
            broker_rebalance_timeout=_REBALANCE_SECONDS,
            consumer_auto_offset_reset="earliest",
            store="memory://",
            datadir=folder,
            topic_allow_declare=False,
            topic_disable_leader=True,
            stream_wait_empty=False,
            web_enabled=False,
            autodiscover=False,
        )
        topic = app.topic(ORDER_EVENTS, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
        app.agent(topic, name="orders")(self._consume)
        app.finalize()
        return app

    async def _consume(self, stream: Any) -> None:
        async for event in stream.events():
            try:
                await self._handle(_record(event.message))
            except Exception as error:  # noqa: BLE001 - raised here, Faust would drop the record and go on
                self._failure = error
                await asyncio.Event().wait()  # nothing behind it is read; `watch` ends the process
            self._projection.passed(event.message.partition, event.message.offset)


def _record(message: Any) -> Record:
    return Record(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        headers=dict(message.headers or ()),
    )


async def _stretches(bootstrap_servers: str) -> Mapping[int, Stretch]:
    """Return what each partition holds now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(ORDER_EVENTS, number) for number in range(catalogue()[ORDER_EVENTS].partitions)]
        firsts = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    return {at.partition: Stretch(firsts[at], ends[at]) for at in partitions}
