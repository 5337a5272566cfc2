"""What operators see and decide, carried out by a running consumer."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from inbox import Event, NeedsOperator, Reject, TopicPolicy
from inbox.log_reader import log_reader
from inbox.operations import (
    NothingParked,
    StalePlan,
    decide,
    outcome,
    parked,
    plan_reset,
    plan_rewind,
    reset,
    rewind,
    status,
)
from tests.given import MakeTopic
from tests.integration.inbox.world import CONSUMER, World, an_event, leave_effects, log_of
from tests.waiting import eventually


class Handler:
    """Refuses what says poison, until it is mended."""

    def __init__(self) -> None:
        self.mended = False

    async def __call__(self, connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        for event in events:
            if event.payload == b"poison" and not self.mended:
                raise Reject(event, "unknown status")
        await leave_effects(connection, events)


async def decided(world: World, action: str, topic: str, key: str, event_id: UUID | None = None) -> str | None:
    number = await decide(
        world.connection,
        "release" if action == "release" else "discard",
        consumer=CONSUMER,
        topic=topic,
        key=key,
        event_id=event_id,
        reason="because",
        by="ada",
    )
    return await outcome(world.connection, number, wait_seconds=10)


async def test_release_applies_what_waited_in_order_once_the_handler_is_mended(world: World, topic: MakeTopic) -> None:
    name, handler = await topic("orders"), Handler()
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2, body=b"poison"), an_event("42", 3))
        world.start(TopicPolicy(name), handler=handler)
        await world.reaches(name, 3)
        handler.mended = True

        told = await decided(world, "release", name, "42")

        assert told == "applied 2, still parked 0"
        await log.append(an_event("42", 4))
        await world.reaches(name, 4)
    assert await world.applied("42") == [1, 2, 3, 4]
    assert await world.why_parked("42") is None


async def test_release_of_what_is_still_refused_leaves_it_parked(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1, body=b"poison"), an_event("42", 2))
    world.start(TopicPolicy(name), handler=Handler())
    await world.reaches(name, 2)

    told = await decided(world, "release", name, "42")

    assert told == "applied 0, still parked 2, because: unknown status"
    assert await world.why_parked("42") == "poison"


async def test_release_of_a_gap_gives_the_missing_versions_up(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 4), an_event("42", 5))
    world.start(TopicPolicy(name))
    await world.reaches(name, 3)

    told = await decided(world, "release", name, "42")

    assert told == "applied 2, still parked 0"
    assert await world.applied("42") == [1, 4, 5]


async def test_release_of_a_fork_follows_the_new_history(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2), an_event("42", 2), an_event("42", 3))
    world.start(TopicPolicy(name))
    await world.reaches(name, 4)

    told = await decided(world, "release", name, "42")

    assert told == "applied 2, still parked 0"
    assert await world.applied("42") == [1, 2, 2, 3]


async def test_discard_drops_one_event_and_the_rest_goes_on(world: World, topic: MakeTopic) -> None:
    name, poison = await topic("orders"), UUID(int=2)
    async with log_of(world.bootstrap, name) as log:
        await log.append(
            an_event("42", 1), an_event("42", 2, body=b"poison", event_id=poison), an_event("42", 3), an_event("42", 4)
        )
        world.start(TopicPolicy(name), handler=Handler())
        await world.reaches(name, 4)

        told = await decided(world, "discard", name, "42", poison)

        assert told == "dropped one; applied 2, still parked 0"
        await log.append(an_event("42", 2, event_id=poison))
        await world.reaches(name, 5)
    assert await world.applied("42") == [1, 3, 4]
    assert await world.why_parked("42") is None


async def test_nothing_is_discarded_past_what_is_parked_before_it(world: World, topic: MakeTopic) -> None:
    name, later = await topic("orders"), UUID(int=3)
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2, body=b"poison"), an_event("42", 3, event_id=later))
    world.start(TopicPolicy(name), handler=Handler())
    await world.reaches(name, 3)

    told = await decided(world, "discard", name, "42", later)

    assert told == "refused: version 2 is parked before version 3"
    assert [version for version, _ in await world.parked("42")] == [2, 3]


async def test_discarding_an_unreadable_record_lets_its_key_go_on(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    nameless = an_event("42", 7)
    del nameless.headers[-1]
    async with log_of(world.bootstrap, name) as log:
        await log.append(nameless, an_event("42", 1))
    world.start(TopicPolicy(name))
    await world.reaches(name, 2)
    unreadable = next(event for event in await parked(world.connection) if event.version is None)

    told = await decided(world, "discard", name, "42", unreadable.event_id)

    assert told == "dropped one; applied 1, still parked 0"
    assert await world.applied("42") == [1]


async def test_without_versions_release_applies_in_the_order_of_the_log(world: World, topic: MakeTopic) -> None:
    name, handler = await topic("users"), Handler()
    first, second = an_event("42", None, body=b"poison"), an_event("42", None, body=b"second")
    async with log_of(world.bootstrap, name) as log:
        await log.append(first, second)
        world.start(TopicPolicy(name, versioned=False), handler=handler)
        await world.reaches(name, 2)
        handler.mended = True

        told = await decided(world, "release", name, "42")
        await log.append(first, an_event("42", None, body=b"third"))
        await world.reaches(name, 4)

    assert told == "applied 2, still parked 0"
    bodies = [row["payload"] for row in await world.connection.fetch("select payload from effects order by place")]
    assert bodies == [b"poison", b"second", b"third"]


async def test_a_decision_is_kept_with_its_reason_and_its_outcome(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 2))
    world.start(TopicPolicy(name))
    await world.reaches(name, 1)

    await decided(world, "release", name, "42")

    row = await world.connection.fetchrow("select by, action, key, reason, outcome from inbox_audit")
    assert row is not None
    assert tuple(row) == ("ada", "release", "42", "because", "applied 1, still parked 0")


async def test_a_decision_about_nothing_is_refused_at_once(world: World) -> None:
    with pytest.raises(NothingParked):
        await decided(world, "release", "orders", "42")


async def test_a_decision_waits_for_a_consumer(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 2))
    world.start(TopicPolicy(name))
    await world.reaches(name, 1)
    await world.stop()
    number = await decide(
        world.connection, "release", consumer=CONSUMER, topic=name, key="42", reason="because", by="ada"
    )
    assert await outcome(world.connection, number, wait_seconds=0.1) is None

    world.start(TopicPolicy(name))

    assert await outcome(world.connection, number, wait_seconds=15) == "applied 1, still parked 0"


async def test_a_running_consumer_follows_a_rewind_and_repeats_nothing(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2), an_event("42", 3))
        world.start(TopicPolicy(name))
        await world.reaches(name, 3)
        await world.connection.execute("delete from inbox_watermark")
        await world.connection.execute(
            "insert into inbox_watermark values ($1, $2, '42', 1, '{}', null)", CONSUMER, name
        )

        async with log_reader(world.bootstrap) as reader:
            moves = await plan_rewind(world.connection, reader, consumer=CONSUMER, topic=name, partition=0, to_offset=0)
        await rewind(world.connection, moves, reason="two versions were lost", by="ada")
        await eventually(lambda: _applied(world, [1, 2, 3, 2, 3]))

        await world.reaches(name, 3)
    assert await world.why_parked("42") is None


async def test_a_rewind_to_a_moment_is_planned_per_partition(world: World, topic: MakeTopic) -> None:
    name = await topic("orders", partitions=2)
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), partition=0)
        await log.append(an_event("7", 1), partition=1)
    world.start(TopicPolicy(name))
    await world.reaches(name, 1, partition=0)
    await world.reaches(name, 1, partition=1)

    async with log_reader(world.bootstrap) as reader:
        early = await plan_rewind(
            world.connection, reader, consumer=CONSUMER, topic=name, to_time=datetime(2020, 1, 1, tzinfo=UTC)
        )
        late = await plan_rewind(
            world.connection, reader, consumer=CONSUMER, topic=name, to_time=datetime(2100, 1, 1, tzinfo=UTC)
        )

    assert [(move.partition, move.from_offset, move.to_offset) for move in early] == [(0, 1, 0), (1, 1, 0)]
    assert late == []


async def test_a_topic_made_anew_is_refused_until_it_is_reset(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2))
        world.start(TopicPolicy(name))
        await world.reaches(name, 2)
        await world.stop()
        await log.recreate()
        await log.append(an_event("7", 1), an_event("7", 2), an_event("7", 3))
        runner = world.start(TopicPolicy(name))
        with pytest.raises(Exception, match="the topic was made anew"):
            await runner
        (refused,) = await status(world.connection)
        assert refused.needs_reset is not None
        assert await world.applied("7") == []

        async with log_reader(world.bootstrap) as reader:
            moves = await plan_reset(world.connection, reader, consumer=CONSUMER, topic=name)
        await reset(world.connection, moves, reason="made anew on purpose", by="ada")
        world.start(TopicPolicy(name))

        await world.reaches(name, 3)
    assert await world.applied("7") == [1, 2, 3]


async def test_a_topic_made_anew_under_a_running_consumer_is_refused(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2))
        runner = world.start(TopicPolicy(name))
        await world.reaches(name, 2)

        await log.recreate()
        await log.append(*[an_event("7", version) for version in range(1, 6)])

        with pytest.raises(NeedsOperator, match=r"made anew|outside the log"):
            async with asyncio.timeout(30):
                await runner
    assert await world.applied("7") == []


async def test_a_position_that_fits_is_not_reset(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1))
    world.start(TopicPolicy(name))
    await world.reaches(name, 1)

    async with log_reader(world.bootstrap) as reader:
        assert await plan_reset(world.connection, reader, consumer=CONSUMER, topic=name) == []
        moves = await plan_rewind(world.connection, reader, consumer=CONSUMER, topic=name, partition=0, to_offset=0)
    with pytest.raises(StalePlan):
        await reset(world.connection, moves, reason="by mistake", by="ada")


async def test_status_tells_where_every_partition_stands(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("7", 2), an_event("8", 2), an_event("8", 3))
    world.start(TopicPolicy(name))
    await world.reaches(name, 4)

    (held,) = await status(world.connection)

    assert (held.consumer, held.topic, held.partition, held.epoch) == (CONSUMER, name, 0, 1)
    assert (held.next_offset, held.parked_keys, held.undone, held.needs_reset) == (4, 2, 0, None)


async def _applied(world: World, versions: list[int]) -> bool:
    return await world.applied() == versions
