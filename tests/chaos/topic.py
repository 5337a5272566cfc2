"""K: the topic as a stranger reads it, and the few things a scene asks of brokers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.chaos.facts import Record
from tests.waiting import eventually
from verification.witnesses.producers import batch_writers

_READ_SECONDS_MAX = 120.0
_MADE_SECONDS_MAX = 30.0


@asynccontextmanager
async def administered(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client for the length of a block."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def make_topic(bootstrap: str, name: str, *, partitions: int, copies: int = 1, **configs: str) -> None:
    """Make a topic and wait until every partition has a leader."""
    settings = {key.replace("_", "."): value for key, value in configs.items()}
    async with administered(bootstrap) as admin:

        async def made() -> bool:
            answer = await admin.create_topics([NewTopic(name, partitions, copies, topic_configs=settings)])
            return [error for _, error, *_ in answer.topic_errors] == [0]

        await eventually(made, within=_MADE_SECONDS_MAX)
        await eventually(lambda: _led(admin, name, partitions), within=_MADE_SECONDS_MAX)


async def _led(admin: AIOKafkaAdminClient, name: str, partitions: int) -> bool:
    [about] = await admin.describe_topics([name])
    led = [each for each in about["partitions"] if each["error_code"] == 0 and each["leader"] >= 0]
    return len(led) == partitions


async def leaders_of(bootstrap: str, topic: str) -> dict[int, int]:
    """The node that leads each partition; raises while the cluster cannot say."""
    async with asyncio.timeout(5), administered(bootstrap) as admin:
        [about] = await admin.describe_topics([topic])
    return {each["partition"]: each["leader"] for each in about["partitions"]}


async def copies_of(bootstrap: str, topic: str) -> list[int]:
    """The nodes that keep the first partition, its leader first."""
    async with asyncio.timeout(5), administered(bootstrap) as admin:
        [about] = await admin.describe_topics([topic])
    [first, *_] = about["partitions"]
    return sorted(first["replicas"], key=lambda node: node != first["leader"])


async def records_of(bootstrap: str, topic: str) -> tuple[list[Record], int]:
    """Every record that lies in the topic now, and how many partitions it has."""
    partitions = [TopicPartition(topic, number) for number in sorted(await leaders_of(bootstrap, topic))]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(_READ_SECONDS_MAX):
            records = await _read(consumer, partitions)
            return await _with_producers(bootstrap, topic, records), len(partitions)
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> list[Record]:
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    found: list[Record] = []
    behind = {at for at in partitions if ends[at] > 0}
    while behind:
        for at, records in (await consumer.getmany(*behind, timeout_ms=200)).items():
            found.extend(_record(record) for record in records if record.offset < ends[at])
        behind = {at for at in behind if await consumer.position(at) < ends[at]}
    return found


async def _with_producers(bootstrap: str, topic: str, records: Sequence[Record]) -> list[Record]:
    """Where one tenure sent an event more than once, the log itself must say by which producer each time."""
    times = Counter((record.event_id, record.sender) for record in records)
    async with batch_writers(bootstrap_servers=bootstrap, topic=topic) as writers:

        async def named(record: Record) -> Record:
            if times[record.event_id, record.sender] == 1:
                return record
            producer = await writers.of(record.partition, record.offset)
            return record._replace(sender=f"{record.sender} by producer {producer}")

        return [await named(record) for record in records]


def _record(record: Any) -> Record:
    headers = dict(record.headers)
    return Record(
        key=None if record.key is None else record.key.decode(),
        version=int(headers.get("ce_sequence", b"0")),
        partition=record.partition,
        offset=record.offset,
        event_id=headers.get("ce_id", b"").decode(),
        payload=record.value,
        sender=headers.get("outbox_epoch", b"").decode(),
    )
