"""A COMMIT whose answer is lost, or that never arrived: nobody can tell, and nothing is applied twice or left out."""

from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from inbox import Event, Reject, TopicPolicy
from inbox.operations import decide, outcome
from inbox.testing import MemoryBroker, MemoryDeadLetters
from tests.commit_cut import Where, commit_cut
from tests.given import Database
from tests.integration.inbox.world import CONSUMER, World, an_event, leave_effects, world_of

TOPIC = "orders"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """A world whose log is in memory."""
    async with world_of(database.dsn, "nowhere:1") as made:
        yield made


@pytest.mark.parametrize("versioned", [True, False])
@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_batch_whose_commit_was_lost_is_applied_once(*, versioned: bool, where: Where, world: World) -> None:
    broker = await a_broker(with_versions=versioned)
    async with commit_cut(world.dsn) as (cut, dsn):

        async def cut_the_first(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
            await leave_effects(connection, events)
            if cut.cuts == 0:
                cut.arm(where)

        world.start(
            TopicPolicy(TOPIC, versioned=versioned),
            handler=cut_the_first,
            dsn=dsn,
            sources=broker.member_of("group", TOPIC),
            dead_letters=MemoryDeadLetters(),
        )
        await world.reaches(TOPIC, 2)
        await broker.append(TOPIC, key=b"7", value=b"{}", headers=list(an_event("7", 1).headers))
        await world.reaches(TOPIC, 3)
        await world.stop()

    assert cut.cuts == 1
    assert len(await world.applied("42")) == 2
    assert len(await world.applied("7")) == 1


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_release_whose_commit_was_lost_is_carried_out_once(where: Where, world: World) -> None:
    broker = await a_broker(with_versions=True)
    mended = False
    async with commit_cut(world.dsn) as (cut, dsn):

        async def refuse_until_mended(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
            if not mended:
                raise Reject(events[0], "not yet")
            await leave_effects(connection, events)
            if cut.cuts == 0:
                cut.arm(where)

        world.start(
            TopicPolicy(TOPIC),
            handler=refuse_until_mended,
            dsn=dsn,
            sources=broker.member_of("group", TOPIC),
            dead_letters=MemoryDeadLetters(),
        )
        await world.reaches(TOPIC, 2)
        mended = True
        number = await decide(
            world.connection, "release", consumer=CONSUMER, topic=TOPIC, key="42", reason="mended", by="ada"
        )

        assert await outcome(world.connection, number, wait_seconds=10) == "applied 2, still parked 0"
        await world.stop()

    assert cut.cuts == 1
    assert await world.applied("42") == [1, 2]


async def a_broker(*, with_versions: bool) -> MemoryBroker:
    broker = MemoryBroker()
    broker.make_topic(TOPIC)
    for version in (1, 2):
        event = an_event("42", version if with_versions else None)
        await broker.append(TOPIC, key=event.key, value=event.value, headers=list(event.headers))
    return broker
