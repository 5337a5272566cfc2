"""Records of one key, read by nobody's consumer: no group, no commit, from a moment to the end the topic has now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CLOCKS_APART: Final = timedelta(minutes=1)
"""How far the database's clock and the broker's may differ: reading starts that much earlier."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A record of the key asked for; ``at`` is the broker's time, ``version`` its ``ce_sequence``."""

    at: datetime
    partition: int
    offset: int
    version: int


async def records_of_key(bootstrap_servers: str, topic: str, key: str, *, since: datetime) -> list[KeyRecord]:
    """Every record of ``key`` that was written since, in the order of the log."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        wanted = key.encode()
        return [
            KeyRecord(
                at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
                partition=record.partition,
                offset=record.offset,
                version=int(dict(record.headers).get("ce_sequence", b"0")),
            )
            async for record in _window(consumer, topic, since - CLOCKS_APART)
            if record.key == wanted
        ]
    finally:
        await consumer.stop()


async def _window(consumer: AIOKafkaConsumer, topic: str, since: datetime) -> AsyncIterator[Any]:
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
    ends = await consumer.end_offsets(partitions)
    starts = await consumer.offsets_for_times(dict.fromkeys(partitions, int(since.timestamp() * 1000)))
    open_partitions = {partition for partition in partitions if starts[partition] is not None}
    for partition in partitions:
        found = starts[partition]
        consumer.seek(partition, found.offset if found else ends[partition])
    while open_partitions:
        for partition, batch in (await consumer.getmany(*open_partitions, timeout_ms=200)).items():
            for record in batch:
                if record.offset < ends[partition]:
                    yield record
        positions = {partition: await consumer.position(partition) for partition in open_partitions}
        open_partitions = {each for each, position in positions.items() if position < ends[each]}
