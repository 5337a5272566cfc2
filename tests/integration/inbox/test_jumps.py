"""Nothing that was taken off the log is passed over: the position moves only over what was read from it on."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiokafka import TopicPartition

from inbox import TopicPolicy
from inbox.errors import Fenced
from inbox.event import Record
from inbox.fence import Hold, advance
from inbox.testing import MemoryBroker, MemoryDeadLetters, MemoryRecord, MemorySource
from tests.given import Database
from tests.integration.inbox.world import CONSUMER, QUICK, World, an_event, world_of

TOPIC = "orders"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with world_of(database.dsn, "nowhere:1") as made:
        yield made


class Odd(MemorySource):
    """A member that hands its records on in some odd way."""

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(broker, "group", [TOPIC])
        self.handed_out: list[list[int]] = []

    async def poll(self, at: TopicPartition, *, records_max: int, seconds_max: float) -> Sequence[Record]:
        records = await super().poll(at, records_max=records_max, seconds_max=seconds_max)
        handed_out = self.changed(records)
        self.handed_out += [[record.offset for record in handed_out]] if handed_out else []
        return handed_out

    def changed(self, records: Sequence[Record]) -> Sequence[Record]:
        raise NotImplementedError


async def reading(world: World, source: Odd, broker: MemoryBroker) -> None:
    broker.make_topic(TOPIC)
    for version in (1, 2, 3):
        sent = an_event("42", version)
        await broker.append(TOPIC, key=sent.key, value=sent.value, headers=list(sent.headers))
    world.start(
        TopicPolicy(TOPIC),
        limits=replace(QUICK, batch_events_max=2),
        sources=lambda: source,
        dead_letters=MemoryDeadLetters(),
    )


@dataclass(frozen=True, slots=True)
class Breaking:
    """A record whose headers cannot even be looked at."""

    record: MemoryRecord

    @property
    def headers(self) -> Any:
        raise OverflowError("a fault nobody thought of")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.record, name)


async def test_records_taken_in_a_turn_that_broke_are_read_again(world: World) -> None:
    class BreaksOnce(Odd):
        broken = False

        def changed(self, records: Sequence[Any]) -> Sequence[Record]:
            if records and not self.broken:
                self.broken = True
                return [Breaking(records[0]), *records[1:]]
            return records

    source = BreaksOnce(broker := MemoryBroker())
    await reading(world, source, broker)
    await world.reaches(TOPIC, 3)

    assert source.handed_out == [[0, 1], [0, 1], [2]]
    assert await world.applied("42") == [1, 2, 3]


async def test_records_lost_on_the_way_are_missed_and_read_again(world: World) -> None:
    class LosesTheFirst(Odd):
        lost = False

        def changed(self, records: Sequence[Record]) -> Sequence[Record]:
            if records and not self.lost:
                self.lost = True
                return ()
            return records

    source = LosesTheFirst(broker := MemoryBroker())
    await reading(world, source, broker)
    await world.reaches(TOPIC, 3)

    assert source.handed_out == [[2], [0, 1], [2]]
    assert await world.applied("42") == [1, 2, 3]


async def test_a_hole_of_the_log_itself_is_believed_after_a_second_look(world: World) -> None:
    class HasAHole(Odd):
        def changed(self, records: Sequence[Record]) -> Sequence[Record]:
            return [record for record in records if record.offset != 0]

    source = HasAHole(broker := MemoryBroker())
    await reading(world, source, broker)
    await world.reaches(TOPIC, 3)

    assert source.handed_out == [[1], [1], [2]]
    assert await world.why_parked("42") == "gap"


async def test_the_fence_refuses_a_batch_that_begins_beyond_the_position(world: World) -> None:
    hold = Hold(CONSUMER, TopicPartition(TOPIC, 0), 1, 5, None, "memory", 0, None)

    with pytest.raises(Fenced, match="orders/0 was read from 7, it stands at 5"):
        await advance(
            world.connection,
            hold,
            from_offset=7,
            next_offset=9,
            last_event_id=None,
        )
