"""The log as aiokafka sees it.

aiokafka delivers while `on_partitions_assigned` still runs, swallows what the callback raises, and may jump to the
committed offset of a partition before anybody seeks: here that only ever means records nobody asked for, which the
next `seek` throws away.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    ConsumerStoppedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from inbox.errors import BadLimits
from inbox.source import Changed, PositionLost, SessionBroken

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from inbox.event import Record
    from inbox.policy import Limits

_NOWHERE = -1
_FETCH_BYTES_MAX = 1 << 20
_METADATA_SECONDS_MAX = 5
_ASK_SECONDS_MAX = 10.0
_STOP_SECONDS_MAX = 8.0
_COMMIT_SECONDS_MAX = 2.0
_OURS = {"loop", "request_timeout_ms", "metadata_max_age_ms"}
_BEYOND_REBALANCE_SECONDS = 3.0
"""A join is answered when the rebalance is over: a request may take that long. A silent broker is given up as late."""

log = logging.getLogger("inbox")


def refuse_unknown_options(options: Mapping[str, Any]) -> None:
    """Refuse by name what a client (consumer, producer, admin) does not know, or what the inbox sets itself."""
    clients = (AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient)
    known = set.intersection(*(set(inspect.signature(client).parameters) for client in clients)) - _OURS
    for name in options:
        if name not in known:
            raise BadLimits("kafka_options", name, f"must be among {', '.join(sorted(known))}")


class KafkaSource:
    """One consumer of a group, for the length of one session."""

    def __init__(
        self,
        *,
        bootstrap_servers: str,
        group_id: str,
        instance_id: str | None,
        topics: Sequence[str],
        limits: Limits,
        options: Mapping[str, Any],
    ) -> None:
        self._topics = tuple(topics)
        self._open_questions: set[asyncio.Task[Any]] = set()
        client = {"bootstrap_servers": bootstrap_servers, "client_id": f"inbox-{instance_id or group_id}", **options}
        self._admin = AIOKafkaAdminClient(**client)
        self._consumer = AIOKafkaConsumer(
            **client,
            group_id=group_id,
            group_instance_id=instance_id,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_partition_fetch_bytes=_FETCH_BYTES_MAX,
            metadata_max_age_ms=_METADATA_SECONDS_MAX * 1000,
            session_timeout_ms=int(limits.session_timeout_seconds * 1000),
            heartbeat_interval_ms=int(limits.session_timeout_seconds * 1000 / 5),
            rebalance_timeout_ms=int(limits.rebalance_seconds_max * 1000),
            request_timeout_ms=int((limits.rebalance_seconds_max + _BEYOND_REBALANCE_SECONDS) * 1000),
        )

    async def start(self, *, assigned: Changed, revoked: Changed) -> None:
        """Connect, then subscribe: a topic that does not exist yet is waited for in the group, not here."""
        await self._admin.start()
        await self._consumer.start()
        self._consumer.subscribe(topics=self._topics, listener=_Listener(assigned, revoked))

    async def stop(self) -> None:
        """Leave the group (a static member only disconnects) and close every connection."""
        if self._open_questions:
            await asyncio.wait(self._open_questions, timeout=_COMMIT_SECONDS_MAX)
        for close in (self._consumer.stop, self._admin.close):
            try:
                async with asyncio.timeout(_STOP_SECONDS_MAX):
                    await close()
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("inbox.source_stop_failed", extra={"error": type(error).__name__})

    async def pulse(self) -> None:
        """Poll a partition that does not exist.

        That takes nothing from anybody, counts as a sign of life for a member without partitions, and raises what the
        group coordinator holds against us.
        """
        await self._poll(TopicPartition(self._topics[0], _NOWHERE), records_max=1, seconds_max=0)

    def missing(self) -> frozenset[str]:
        """Look into the metadata, which is asked for anew every few seconds."""
        return frozenset(topic for topic in self._topics if not self._consumer.partitions_for_topic(topic))

    async def cluster_id(self) -> str:
        """Ask a broker for the id the cluster was formatted with."""
        answer = await self._asked(self._admin.describe_cluster(), _ASK_SECONDS_MAX)
        return str(answer["cluster_id"])

    async def bounds(self, at: TopicPartition) -> tuple[int, int]:
        """Ask the partition's leader."""
        start = await self._asked(self._consumer.beginning_offsets([at]), _ASK_SECONDS_MAX)
        end = await self._asked(self._consumer.end_offsets([at]), _ASK_SECONDS_MAX)
        return start[at], end[at]

    def seek(self, at: TopicPartition, offset: int) -> None:
        """Drop what was fetched and fetch from here; raises PositionLost when the partition was taken away."""
        try:
            self._consumer.seek(at, offset)
        except IllegalStateError as error:
            raise PositionLost(f"{at.topic}/{at.partition} is not assigned") from error

    async def poll(self, at: TopicPartition, *, records_max: int, seconds_max: float) -> Sequence[Record]:
        """Take what is fetched already, else wait."""
        return await self._poll(at, records_max=records_max, seconds_max=seconds_max)

    def behind(self, at: TopicPartition, next_offset: int) -> bool:
        """Compare with the high watermark of the last fetch."""
        try:
            return (self._consumer.highwater(at) or 0) > next_offset
        except (IllegalStateError, AssertionError):
            return False

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit; a rebalance or a broker on its way down loses the hint, nothing else."""
        try:
            await self._asked(self._consumer.commit(dict(offsets)), _COMMIT_SECONDS_MAX)
        except (KafkaError, TimeoutError) as error:
            log.info("inbox.hint_lost", extra={"error": type(error).__name__})

    async def _asked(self, question: Coroutine[Any, Any, Any], seconds_max: float) -> Any:
        """Wait for an answer, but never cut the question off: aiokafka would lose the connection it is just making."""
        task = asyncio.create_task(question)
        self._open_questions.add(task)
        task.add_done_callback(self._answered)
        async with asyncio.timeout(seconds_max):
            return await asyncio.shield(task)

    def _answered(self, task: asyncio.Task[Any]) -> None:
        self._open_questions.discard(task)
        if not task.cancelled():
            task.exception()  # whoever still waits sees it; an abandoned one is nobody's

    async def _poll(self, at: TopicPartition, *, records_max: int, seconds_max: float) -> Sequence[Record]:
        try:
            found = await self._consumer.getmany(at, timeout_ms=int(seconds_max * 1000), max_records=records_max)
        except NoOffsetForPartitionError:
            return ()  # said about the time before our seek
        except (OffsetOutOfRangeError, IllegalStateError) as error:
            raise PositionLost(str(error)) from error
        except (KafkaError, ConsumerStoppedError) as error:
            raise SessionBroken(f"{type(error).__name__}: {error}") from error
        records: Sequence[Record] = found.get(at, ())
        return records


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is published without types
    """Passes a rebalance on."""

    def __init__(self, assigned: Changed, revoked: Changed) -> None:
        self._assigned = assigned
        self._revoked = revoked

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Close what is being worked on before it is given away."""
        await self._revoked(frozenset(revoked))

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Begin; taking the partitions happens outside this callback."""
        await self._assigned(frozenset(assigned))
