"""While the database is busy with a batch the next one is read: one, and only for as long as the partition is held."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import asyncpg
import pytest
from aiokafka import TopicPartition

from inbox import Event, TopicPolicy
from inbox.event import Record
from inbox.source import SessionBroken
from inbox.testing import MemoryBroker, MemoryDeadLetters, MemorySource
from tests.given import Database
from tests.integration.inbox.world import QUICK, World, an_event, leave_effects, world_of
from tests.waiting import eventually

TOPIC = "orders"
ONE_BY_ONE = replace(QUICK, batch_events_max=1)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with world_of(database.dsn, "nowhere:1") as made:
        yield made


class Watched(MemorySource):
    """A member that remembers what it handed out, and may fail after so many records, once."""

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(broker, "group", [TOPIC])
        self.handed_out: list[int] = []
        self.fails_after = -1

    async def poll(self, at: TopicPartition, *, records_max: int, seconds_max: float) -> Sequence[Record]:
        if len(self.handed_out) == self.fails_after:
            self.fails_after = -1
            raise SessionBroken("the client is done for")
        records = await super().poll(at, records_max=records_max, seconds_max=seconds_max)
        self.handed_out += [record.offset for record in records]
        return records


class Held:
    """A handler that stops inside its first batch, until it may go on."""

    def __init__(self) -> None:
        self.handling, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        await leave_effects(connection, events)
        self.handling.set()
        await self.go_on.wait()


async def begun(world: World, source: Watched, broker: MemoryBroker, handler: Held) -> None:
    """Three events in three batches; the first is being applied."""
    broker.make_topic(TOPIC)
    for version in (1, 2, 3):
        sent = an_event("42", version)
        await broker.append(TOPIC, key=sent.key, value=sent.value, headers=list(sent.headers))
    sources = iter([source])
    again = broker.member_of("group", TOPIC)
    world.start(
        TopicPolicy(TOPIC),
        handler=handler,
        limits=ONE_BY_ONE,
        sources=lambda: next(sources, None) or again(),
        dead_letters=MemoryDeadLetters(),
    )
    await handler.handling.wait()


async def test_one_batch_is_read_ahead_and_not_applied_before_its_turn(world: World) -> None:
    broker, handler = MemoryBroker(), Held()
    source = Watched(broker)

    await begun(world, source, broker, handler)
    await eventually(lambda: source.handed_out == [0, 1])
    assert await world.applied("42") == []
    handler.go_on.set()
    await world.reaches(TOPIC, 3)

    assert source.handed_out == [0, 1, 2]
    assert await world.applied("42") == [1, 2, 3]


async def test_what_was_read_ahead_is_dropped_with_the_hold(world: World) -> None:
    broker, handler = MemoryBroker(), Held()
    source = Watched(broker)

    await begun(world, source, broker, handler)
    await eventually(lambda: source.handed_out == [0, 1])
    await world.connection.execute("update inbox_partition set epoch = epoch + 1, owner = null")
    handler.go_on.set()
    await world.reaches(TOPIC, 3)

    assert source.handed_out == [0, 1, 0, 1, 2]
    assert await world.applied("42") == [1, 2, 3]


async def test_a_failure_to_read_ahead_undoes_nothing_in_hand(world: World) -> None:
    broker, handler = MemoryBroker(), Held()
    source = Watched(broker)
    source.fails_after = 1

    await begun(world, source, broker, handler)
    await eventually(lambda: source.fails_after == -1)
    handler.go_on.set()
    await world.reaches(TOPIC, 3)

    assert source.handed_out == [0]
    assert await world.applied("42") == [1, 2, 3]


async def test_a_stop_leaves_what_was_read_ahead_for_the_next_owner(world: World) -> None:
    broker, handler = MemoryBroker(), Held()
    source = Watched(broker)

    await begun(world, source, broker, handler)
    await eventually(lambda: source.handed_out == [0, 1])
    stopping = asyncio.create_task(world.stop())
    handler.go_on.set()
    await stopping

    world.start(
        TopicPolicy(TOPIC),
        limits=ONE_BY_ONE,
        sources=broker.member_of("group", TOPIC),
        dead_letters=MemoryDeadLetters(),
    )
    await world.reaches(TOPIC, 3)

    assert await world.applied("42") == [1, 2, 3]
