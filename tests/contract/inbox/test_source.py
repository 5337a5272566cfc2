"""What the inbox relies on in a log: the same truths of a real broker and of the one in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol, Self

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from inbox.event import Record
from inbox.kafka import KafkaSource
from inbox.source import PositionLost, Source
from inbox.testing import MemoryBroker
from tests.given import MakeTopic, SharedKafka
from tests.integration.inbox.world import QUICK
from tests.waiting import eventually


class Cluster(Protocol):
    """A cluster as the suite uses it."""

    async def topic(self, *, partitions: int = 1) -> str: ...
    async def append(self, topic: str, *values: bytes, partition: int = 0) -> None: ...
    async def delete_before(self, topic: str, offset: int) -> None: ...
    def member(self, topic: str) -> Source: ...


@dataclass
class InMemory:
    broker: MemoryBroker = field(default_factory=MemoryBroker)

    async def topic(self, *, partitions: int = 1) -> str:
        self.broker.make_topic("orders", partitions=partitions)
        return "orders"

    async def append(self, topic: str, *values: bytes, partition: int = 0) -> None:
        for value in values:
            await self.broker.append(topic, key=b"42", value=value, headers=[("n", b"1")], partition=partition)

    async def delete_before(self, topic: str, offset: int) -> None:
        self.broker.delete_before(topic, offset)

    def member(self, topic: str) -> Source:
        return self.broker.member_of("group", topic)()


@dataclass
class Real:
    bootstrap: str
    make: MakeTopic
    producer: AIOKafkaProducer
    admin: AIOKafkaAdminClient

    async def topic(self, *, partitions: int = 1) -> str:
        return await self.make("orders", partitions=partitions)

    async def append(self, topic: str, *values: bytes, partition: int = 0) -> None:
        for value in values:
            await self.producer.send_and_wait(topic, value, key=b"42", headers=[("n", b"1")], partition=partition)

    async def delete_before(self, topic: str, offset: int) -> None:
        await self.admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=offset)})

    def member(self, topic: str) -> Source:
        return KafkaSource(
            bootstrap_servers=self.bootstrap,
            group_id=f"group-{topic}",
            instance_id=None,
            topics=[topic],
            limits=QUICK,
            options={},
        )


@pytest.fixture(params=["memory", "kafka"])
async def cluster(request: pytest.FixtureRequest, kafka: SharedKafka, topic: MakeTopic) -> AsyncIterator[Cluster]:
    if request.param == "memory":
        yield InMemory()
        return
    async with AsyncExitStack() as closing:
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", linger_ms=0)
        await producer.start()
        closing.push_async_callback(producer.stop)
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        closing.push_async_callback(admin.close)
        yield Real(kafka.bootstrap, topic, producer, admin)


class Member:
    """A member that writes down what it is told."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.has: set[TopicPartition] = set()

    async def __aenter__(self) -> Self:
        await self.source.start(assigned=self._assigned, revoked=self._revoked)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.source.stop()

    async def _assigned(self, partitions: frozenset[TopicPartition]) -> None:
        self.has |= partitions

    async def _revoked(self, partitions: frozenset[TopicPartition]) -> None:
        self.has -= partitions

    async def having(self, number: int) -> set[TopicPartition]:
        await eventually(lambda: len(self.has) == number, within=20)
        return self.has

    async def read(self, at: TopicPartition, number: int) -> list[Record]:
        """Poll until so many records came."""
        found: list[Record] = []

        async def enough() -> bool:
            found.extend(await self.source.poll(at, records_max=number - len(found), seconds_max=0.5))
            return len(found) >= number

        await eventually(enough, within=20)
        return found


async def test_the_only_member_gets_every_partition(cluster: Cluster) -> None:
    name = await cluster.topic(partitions=2)

    async with Member(cluster.member(name)) as member:
        has = await member.having(2)

    assert has == {TopicPartition(name, 0), TopicPartition(name, 1)}


async def test_a_second_member_gets_a_share_and_gives_it_back_when_it_leaves(cluster: Cluster) -> None:
    name = await cluster.topic(partitions=2)

    async with Member(cluster.member(name)) as first:
        await first.having(2)
        async with Member(cluster.member(name)) as second:
            await second.having(1)
            await first.having(1)
            assert not first.has & second.has
        await first.having(2)


async def test_records_come_from_where_was_sought_as_they_were_sent(cluster: Cluster) -> None:
    name = await cluster.topic()
    await cluster.append(name, b"a", b"b", b"c")
    at = TopicPartition(name, 0)

    async with Member(cluster.member(name)) as member:
        await member.having(1)
        member.source.seek(at, 1)
        found = await member.read(at, 2)

    assert [(record.offset, record.value) for record in found] == [(1, b"b"), (2, b"c")]
    assert (found[0].topic, found[0].partition, found[0].key) == (name, 0, b"42")
    assert list(found[0].headers) == [("n", b"1")]


async def test_seeking_again_reads_again(cluster: Cluster) -> None:
    name = await cluster.topic()
    await cluster.append(name, b"a", b"b")
    at = TopicPartition(name, 0)

    async with Member(cluster.member(name)) as member:
        await member.having(1)
        member.source.seek(at, 0)
        await member.read(at, 1)
        member.source.seek(at, 0)
        again = await member.read(at, 2)

    assert [record.offset for record in again] == [0, 1]


async def test_a_poll_at_the_end_returns_what_comes(cluster: Cluster) -> None:
    name = await cluster.topic()
    at = TopicPartition(name, 0)

    async with Member(cluster.member(name)) as member:
        await member.having(1)
        member.source.seek(at, 0)
        assert list(await member.source.poll(at, records_max=10, seconds_max=0.05)) == []
        waiting = asyncio.create_task(member.read(at, 1))
        await cluster.append(name, b"a")
        found = await waiting

    assert [record.value for record in found] == [b"a"]


async def test_nothing_is_read_before_somebody_sought(cluster: Cluster) -> None:
    name = await cluster.topic()
    await cluster.append(name, b"a")

    async with Member(cluster.member(name)) as member:
        await member.having(1)
        found = await member.source.poll(TopicPartition(name, 0), records_max=10, seconds_max=0.5)

    assert list(found) == []


async def test_bounds_tell_what_can_be_read(cluster: Cluster) -> None:
    name = await cluster.topic()
    await cluster.append(name, b"a", b"b", b"c")
    await cluster.delete_before(name, 2)

    async with Member(cluster.member(name)) as member:
        await member.having(1)
        bounds = await member.source.bounds(TopicPartition(name, 0))

    assert bounds == (2, 3)


@pytest.mark.parametrize("offset", [0, 7])
async def test_a_position_outside_the_log_is_lost(offset: int, cluster: Cluster) -> None:
    name = await cluster.topic()
    await cluster.append(name, b"a", b"b", b"c")
    await cluster.delete_before(name, 2)
    at = TopicPartition(name, 0)

    async with Member(cluster.member(name)) as member:
        await member.having(1)
        member.source.seek(at, offset)
        with pytest.raises(PositionLost):
            await member.read(at, 1)


async def test_a_partition_that_was_taken_away_is_not_sought(cluster: Cluster) -> None:
    name = await cluster.topic()

    async with Member(cluster.member(name)) as member:
        await member.having(1)
        with pytest.raises(PositionLost):
            member.source.seek(TopicPartition(name, 9), 0)


async def test_a_topic_that_is_not_there_is_missing(cluster: Cluster) -> None:
    name = await cluster.topic()

    async with Member(cluster.member(name)) as there, Member(cluster.member("never-made")) as waiting:
        await eventually(lambda: not there.source.missing())
        assert waiting.source.missing() == {"never-made"}


async def test_behind_tells_of_records_not_read_yet(cluster: Cluster) -> None:
    name = await cluster.topic()
    await cluster.append(name, b"a", b"b")
    at = TopicPartition(name, 0)

    async with Member(cluster.member(name)) as member:
        await member.having(1)
        member.source.seek(at, 0)
        await member.read(at, 1)

        assert member.source.behind(at, 1)
        assert not member.source.behind(at, 2)


async def test_a_hint_is_taken_and_a_pulse_disturbs_nothing(cluster: Cluster) -> None:
    name = await cluster.topic()
    await cluster.append(name, b"a", b"b")
    at = TopicPartition(name, 0)

    async with Member(cluster.member(name)) as member:
        await member.having(1)
        await member.source.commit({at: 1})
        await member.source.pulse()
        member.source.seek(at, 0)
        found = await member.read(at, 2)

    assert [record.offset for record in found] == [0, 1]


async def test_every_member_sees_the_same_cluster(cluster: Cluster) -> None:
    name = await cluster.topic()

    async with Member(cluster.member(name)) as one, Member(cluster.member(name)) as two:
        assert await one.source.cluster_id() == await two.source.cluster_id() != ""


async def test_stopping_twice_or_before_the_start_is_safe(cluster: Cluster) -> None:
    name = await cluster.topic()
    source = cluster.member(name)

    await source.stop()
    await source.stop()
