"""What reaches the database, from a real broker into a real Postgres."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from inbox import Event, TopicPolicy
from tests.given import MakeTopic
from tests.integration.inbox.world import World, an_event, leave_effects, log_of
from tests.waiting import eventually


async def test_events_of_a_key_are_applied_once_and_in_order(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    second = an_event("42", 2)
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), second, second, an_event("42", 3), second)
    world.start(TopicPolicy(name))

    await world.reaches(name, 5)

    assert await world.applied("42") == [1, 2, 3]


async def test_a_first_join_starts_at_the_beginning_of_every_partition(world: World, topic: MakeTopic) -> None:
    name = await topic("orders", partitions=2)
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), partition=0)
        await log.append(an_event("7", 1), partition=1)
    world.start(TopicPolicy(name))

    await eventually(lambda: _all_applied(world, 2))

    assert await world.applied("42") == [1]
    assert await world.applied("7") == [1]


async def test_a_restart_goes_on_where_the_database_says(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2))
        world.start(TopicPolicy(name))
        await world.reaches(name, 2)
        await world.stop()
        await log.append(an_event("42", 3))

        world.start(TopicPolicy(name))
        await world.reaches(name, 3)

    assert await world.applied("42") == [1, 2, 3]


async def test_a_crash_before_the_offset_is_hinted_repeats_nothing(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2))
    world.start(TopicPolicy(name), sources=world.sources_that_never_hint(name))
    await world.reaches(name, 2)
    await world.stop()
    assert await world.hinted(name) is None

    world.start(TopicPolicy(name))
    await eventually(lambda: _hinted(world, name, 2), within=20)

    assert await world.applied("42") == [1, 2]


async def test_a_withdrawn_event_counts_but_no_handler_sees_it(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2, kind="outbox.void", body=None), an_event("42", 3))
    world.start(TopicPolicy(name))

    await world.reaches(name, 3)

    assert await world.applied("42") == [1, 3]
    assert await world.why_parked("42") is None


async def test_the_effects_of_a_handler_commit_with_the_position_or_not_at_all(world: World, topic: MakeTopic) -> None:
    failures = iter([ConnectionError("the handler's own service is away")])

    async def fails_once_after_writing(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        await leave_effects(connection, events)
        for failure in failures:
            raise failure

    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2))
    world.start(TopicPolicy(name), handler=fails_once_after_writing)

    await world.reaches(name, 2)

    assert await world.applied("42") == [1, 2]


async def test_a_topic_without_versions_applies_each_id_once(world: World, topic: MakeTopic) -> None:
    name = await topic("users")
    same = UUID(int=7)
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", None, event_id=same), an_event("42", None), an_event("42", None, event_id=same))
        world.start(TopicPolicy(name, versioned=False))
        await world.reaches(name, 3)
        await log.append(an_event("42", None, event_id=same))

        await world.reaches(name, 4)

    assert await world.applied("42") == [None, None]


async def test_two_consumers_of_one_topic_each_apply_everything(world: World, topic: MakeTopic) -> None:
    async def leave_mine(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        await leave_effects(connection, events, by="projection")

    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2))

    world.start(TopicPolicy(name), name="one", consumer="notification")
    world.start(TopicPolicy(name), name="two", consumer="projection", handler=leave_mine)
    await eventually(lambda: _all_applied(world, 4), within=20)

    assert await world.applied_by("") == [1, 2]
    assert await world.applied_by("projection") == [1, 2]


async def test_the_trace_of_a_record_goes_on_in_the_span_of_its_event(world: World, topic: MakeTopic) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1, traceparent="00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01"))
    world.start(TopicPolicy(name), tracer=provider.get_tracer("test"))

    await world.reaches(name, 1)
    spans = await eventually(exporter.get_finished_spans)

    (span,) = spans
    assert span.context is not None
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == "a" * 32
    assert f"{span.parent.span_id:016x}" == "b" * 16
    stored = await world.connection.fetchval("select traceparent from effects")
    assert stored == f"00-{'a' * 32}-{span.context.span_id:016x}-01"


async def test_the_consumers_role_needs_no_more_than_the_grants(world: World, topic: MakeTopic) -> None:
    dsn = await world.with_an_ordinary_role()
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 2), an_event("7", 1))
        world.start(TopicPolicy(name), TopicPolicy("absent", versioned=False), dsn=dsn)
        await world.reaches(name, 2)
        await log.append(an_event("42", 1))
        await world.reaches(name, 3)

    assert await world.applied("42") == [1, 2]
    await eventually(world.daily_pieces_of_seen)


async def _all_applied(world: World, count: int) -> bool:
    return len(await world.applied()) == count


async def _hinted(world: World, name: str, offset: int) -> bool:
    return await world.hinted(name) == offset
