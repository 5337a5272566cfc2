"""Reads every record of the topic since a moment, as a stranger: no group, no commits, from offsets it finds itself."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from verification.facts import Published, digest, number
from verification.report import Finding, Kind
from verification.witnesses.away import WitnessAway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from verification.incarnations import Incarnations
    from verification.report import Findings, Tallies
    from verification.spool import Spool
    from verification.tail import Tail

_RECORDS_AHEAD: Final = 5_000
_POLL_MILLISECONDS: Final = 200
_STILL_SECONDS_MAX: Final = 30.0
_FETCH_BYTES_MAX: Final = 1024 * 1024  # of each partition: what lies ready in memory


@asynccontextmanager
async def topic_reader(*, bootstrap_servers: str, topic: str) -> AsyncIterator[TopicReader]:
    """Connect for a while; raises WitnessAway if the brokers or the topic are not there."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=_FETCH_BYTES_MAX,
    )
    try:
        partitions = await _partitions(bootstrap_servers, topic)
        await consumer.start()
        yield TopicReader(consumer, partitions)
    except KafkaError as error:
        raise WitnessAway("Kafka", str(error)) from error
    finally:
        await consumer.stop()


async def _partitions(bootstrap_servers: str, topic: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        await admin.start()
        [described] = await admin.describe_topics([topic])
    finally:
        await admin.close()
    numbers = sorted(partition["partition"] for partition in described["partitions"])
    if not numbers:
        raise WitnessAway("Kafka", f"topic {topic} does not exist on {bootstrap_servers}")
    return [TopicPartition(topic, number) for number in numbers]


class TopicReader:
    """Reads on from where the last call ended."""

    def __init__(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        self._consumer = consumer
        self._partitions = partitions

    @property
    def partitions(self) -> int:
        """Give how many partitions the topic has."""
        return len(self._partitions)

    async def seek(self, since: float) -> None:
        """Stand before the first record that was produced at or after a moment (seconds since 1970)."""
        wanted = {partition: int(since * 1000) for partition in self._partitions}
        found = await self._consumer.offsets_for_times(wanted)
        ends = await self._consumer.end_offsets(self._partitions)
        self._consumer.assign(self._partitions)  # nothing awaited from here: each has its place before it is fetched
        for partition in self._partitions:
            first = found.get(partition)
            self._consumer.seek(partition, ends[partition] if first is None else first.offset)

    async def read(
        self,
        spool: Spool,
        tail: Tail,
        *,
        wait_seconds: float,
        senders: Incarnations,
        findings: Findings,
        tallies: Tallies,
    ) -> None:
        """Spool all records up to the end as it is now, and go on until the tail is complete or the wait is over.

        A record that names no order, version or event is a finding at once: nothing we write looks like it.
        """
        ends = await self._consumer.end_offsets(self._partitions)
        deadline = asyncio.get_running_loop().time() + wait_seconds
        still_since = asyncio.get_running_loop().time()
        while not await self._reached(ends) or (not tail.all_published and _left(deadline) > 0):
            polled = await self._consumer.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=_RECORDS_AHEAD)
            for records in polled.values():
                self._spool(records, spool, tail, senders=senders, findings=findings, tallies=tallies)
            if polled:
                still_since = asyncio.get_running_loop().time()
            elif _left(still_since + _STILL_SECONDS_MAX) < 0:
                raise WitnessAway("Kafka", f"no record came for {_STILL_SECONDS_MAX:.0f} s before the end of the log")

    async def _reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        for partition, end in ends.items():
            if await self._consumer.position(partition) < end:
                return False
        return True

    def _spool(
        self, records: Any, spool: Spool, tail: Tail, *, senders: Incarnations, findings: Findings, tallies: Tallies
    ) -> None:
        for record in records:
            published = _published(record, senders)
            if published is None:
                tallies.kafka.rows += 1
                tallies.kafka.extra += 1
                findings.add(_strange_finding(record))
                continue
            spool.add(published)
            tail.published(published.event_id)


def _published(record: Any, senders: Incarnations) -> Published | None:
    headers = dict(record.headers)
    sent_at = record.timestamp / 1000
    try:
        return Published(
            order_id=number(record.key),
            version=number(headers["ce_sequence"]),
            partition=record.partition,
            offset=record.offset,
            event_id=UUID(headers["ce_id"].decode()).bytes,
            digest=digest(headers["ce_type"].decode(), record.value),
            at=datetime.fromisoformat(headers["ce_time"].decode()).timestamp(),
            sent_at=sent_at,
            incarnation=senders.seen(headers.get("outbox_history", b""), headers.get("outbox_epoch", b""), sent_at),
        )
    except (KeyError, ValueError, TypeError):
        return None


def _strange_finding(record: Any) -> Finding:
    text = f"offset {record.offset} of partition {record.partition} has no key, version, event id, type or time of ours"
    return Finding(kind=Kind.PHANTOM_RECORD, invariant="I-09", order_id=None, version=None, text=text)


def _left(deadline: float) -> float:
    return deadline - asyncio.get_running_loop().time()
