"""What tests of the outbox start from: installed tables, appended messages, a running relay, an independent reader."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from outbox import Message, Relay, TopicRule, Writer, install_sql
from outbox.testing import FakeBroker, FakePublisher

Connection: TypeAlias = "asyncpg.Connection[Any]"

WRITER_ROLE = "outbox_writer"


@contextlib.asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Connection]:
    """A connection for the length of a block."""
    opened = await asyncpg.connect(dsn)
    try:
        yield opened
    finally:
        await opened.close()


async def install(dsn: str, **options: Any) -> None:
    """The outbox in a database, and a role that may write to it."""
    connection = await asyncpg.connect(dsn)
    try:
        with contextlib.suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            await connection.execute(f"create role {WRITER_ROLE} login password 'writer'")
        async with connection.transaction():
            await connection.execute(install_sql(writer_role=WRITER_ROLE, **options))
    finally:
        await connection.close()


def a_message(topic: str, key: str = "42", version: int | None = 1, **fields: Any) -> Message:
    """A message somebody could have sent."""
    given = {"type": "order.new", "payload": f"{key}/{version}".encode(), **fields}
    return Message(topic=topic, key=key, version=version, **given)


async def commit(connection: Connection, *messages: Message) -> None:
    """Append the messages in a transaction of their own."""
    writer = Writer({TopicRule(message.topic, versioned=message.version is not None) for message in messages})
    async with connection.transaction():
        await writer.append(connection, *messages)


def a_relay(dsn: str, broker: FakeBroker, *topics: TopicRule, **settings: Any) -> Relay:
    """A relay to a broker in memory, with the topics made."""
    for rule in topics:
        if rule.name not in broker.topics:
            broker.create_topic(rule.name, partitions=2)
    publisher = FakePublisher(broker, topics)
    return Relay(dsn=dsn, bootstrap_servers="", topics=topics, publisher=publisher, **settings)


@dataclass(slots=True)
class Running:
    """A relay and the task it runs in."""

    relay: Relay
    task: "asyncio.Task[None]"

    async def stop(self) -> None:
        """End it as an operator would."""
        await self.relay.stop()
        await self.task


@contextlib.asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[Running]:
    """The relay at work for the length of a block; what ended it early is raised at the end."""
    task = asyncio.create_task(relay.run())
    try:
        yield Running(relay, task)
    finally:
        await relay.stop()
        await task


async def create_topic(bootstrap: str, name: str, *, partitions: int = 1) -> None:
    """A topic on a broker of the test's own."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1)])
    finally:
        await admin.close()


async def read_topic(
    bootstrap: str, topic: str, *, until: Callable[[list[Any]], bool]
) -> list[ConsumerRecord[Any, Any]]:
    """Every record of the topic from its start, by a reader that knows nothing of the outbox; bounded by 20 s."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    found: list[ConsumerRecord[Any, Any]] = []
    try:
        partitions = await _partitions(consumer, topic)
        consumer.assign(partitions)
        async with asyncio.timeout(20):
            while not until(found):
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found.extend(records)
    finally:
        await consumer.stop()
    return found


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    while not (numbers := consumer.partitions_for_topic(topic)):
        consumer._client.add_topic(topic)
        await consumer._client.force_metadata_update()
    return [TopicPartition(topic, number) for number in sorted(numbers)]


def versions_of(records: list[Any], key: str) -> list[int]:
    """The versions of a key in the order they lie in the log."""
    return [int(dict(record.headers)["ce_sequence"]) for record in records if record.key == key.encode()]
