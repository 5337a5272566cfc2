"""What a handler does beside its work, by mistake or of need, costs no event and stays no secret."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from prometheus_client import REGISTRY

from inbox import Event, Handler, NeedsOperator, Reject, TopicPolicy, TryAgain
from inbox.testing import MemoryBroker, MemoryDeadLetters
from tests.given import Database
from tests.integration.inbox.world import CONSUMER, QUICK, Sent, World, an_event, leave_effects, world_of
from tests.waiting import eventually


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """A world whose log is in memory."""
    async with world_of(database.dsn, "nowhere:1") as made:
        yield made


@pytest.fixture
def name() -> str:
    """A topic no other test's counters know."""
    return f"orders-{uuid4().hex[:8]}"


async def given(world: World, name: str, handler: Handler, *records: Sent, **options: Any) -> asyncio.Task[None]:
    """These records in a log, and a consumer with this handler."""
    broker = MemoryBroker()
    broker.make_topic(name)
    for record in records:
        await broker.append(name, key=record.key, value=record.value, headers=list(record.headers))
    return world.start(
        options.pop("policy", TopicPolicy(name)),
        handler=handler,
        sources=broker.member_of("group", name),
        dead_letters=MemoryDeadLetters(),
        **options,
    )


def retries(name: str) -> float:
    return REGISTRY.get_sample_value("inbox_retries_total", {"consumer": CONSUMER, "topic": name}) or 0.0


def lag(name: str) -> float:
    labels = {"consumer": CONSUMER, "topic": name, "partition": "0"}
    return REGISTRY.get_sample_value("inbox_lag_seconds", labels) or 0.0


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Why turns were undone, as logged."""
    return [vars(record)["why"] for record in caplog.records if record.getMessage() == "inbox.turn_undone"]


async def test_a_cancelled_error_nobody_asked_for_is_told_and_tried_again(
    world: World, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    strays = iter([asyncio.CancelledError()])

    async def handle(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        await leave_effects(connection, events)
        for stray in strays:
            raise stray

    await given(world, name, handle, an_event("42", 1), an_event("42", 2))
    await world.reaches(name, 2)

    assert await world.applied("42") == [1, 2]
    assert retries(name) == 1
    assert told(caplog) == ["the handler raised CancelledError although the inbox did not cancel it"]


async def test_a_stop_still_cancels_a_handler(world: World, name: str) -> None:
    handling = asyncio.Event()

    async def hangs(*_: object) -> None:
        handling.set()
        await asyncio.Event().wait()

    task = await given(world, name, hangs, an_event("42", 1), limits=replace(QUICK, stop_seconds_max=0.1))
    await handling.wait()
    await world.stop()

    assert task.done()
    assert retries(name) == 0


async def test_a_handler_that_hangs_is_cut_off_at_its_bound_and_tried_again(
    world: World, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = iter([True])

    async def hangs_once(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        await leave_effects(connection, events)
        for _ in hanging:
            await asyncio.Event().wait()

    limits = replace(QUICK, handler_seconds_max=0.2)
    await given(world, name, hangs_once, an_event("42", 1), an_event("42", 2), limits=limits)
    await world.reaches(name, 2)

    assert await world.applied("42") == [1, 2]
    assert told(caplog) == ["the handler took longer than handler_seconds_max = 0.2 with 2 events"]


async def test_a_transaction_the_server_cut_names_the_bound_it_broke(
    world: World, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    idle = iter([True])

    async def idles_once(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        for _ in idle:
            await eventually(connection.is_closed)
        await leave_effects(connection, events)

    limits = replace(QUICK, idle_transaction_seconds_max=0.2)
    await given(world, name, idles_once, an_event("42", 1), limits=limits)
    await world.reaches(name, 1)

    (why,) = told(caplog)
    assert "idle_transaction_seconds_max = 0.2" in why
    assert await world.applied("42") == [1]


async def test_a_service_that_is_away_costs_time_and_parks_nothing(world: World, name: str) -> None:
    class ConnectError(Exception):
        """As clients of other services raise it: of no kind we know."""

    async def refused() -> None:
        raise ConnectionRefusedError("the service is away")

    async def raise_try_again() -> None:
        raise TryAgain("the service is away")

    async def raise_with_a_cause() -> None:
        raise ConnectError from ConnectionRefusedError("the service is away")

    async def raise_a_group() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(refused())

    failures = iter([raise_try_again, raise_with_a_cause, raise_a_group])

    async def handle(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        for failure in failures:
            await failure()
        await leave_effects(connection, events)

    await given(world, name, handle, an_event("42", 1))
    await world.reaches(name, 1)

    assert await world.applied("42") == [1]
    assert await world.parked("42") == []
    assert retries(name) == 3


@pytest.mark.parametrize("word", ["commit", "rollback"])
@pytest.mark.parametrize("then", [None, ValueError("after it")])
async def test_a_handler_that_ends_the_transaction_ends_the_runner_by_name(
    word: str, then: Exception | None, world: World, name: str
) -> None:
    async def handle(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        await leave_effects(connection, events)
        await connection.execute(word)
        if then is not None:
            raise then

    task = await given(world, name, handle, an_event("42", 1))

    with pytest.raises(NeedsOperator, match=f"{name}: the handler ended the transaction"):
        await task
    assert await world.position(name) == 0


async def test_a_handler_that_ends_the_transaction_of_one_event_ends_the_runner_too(world: World, name: str) -> None:
    async def handle(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        if len(events) > 1:
            raise KeyError("a bug in batches")
        await connection.execute("rollback")

    task = await given(world, name, handle, an_event("42", 1), an_event("42", 2))

    with pytest.raises(NeedsOperator, match="the handler ended the transaction"):
        await task
    assert await world.parked("42") == []


async def test_lag_grows_while_a_handler_hangs_and_while_its_batch_is_retried(world: World, name: str) -> None:
    now = 1_000.0
    handling, go_on = asyncio.Event(), asyncio.Event()

    async def hangs_then_fails(*_: object) -> None:
        handling.set()
        await go_on.wait()
        raise ConnectionError("away")

    await given(world, name, hangs_then_fails, an_event("42", 1), clock=lambda: now)
    await handling.wait()
    assert lag(name) == 1_000.0

    now = 1_500.0
    assert lag(name) == 1_500.0, "while it hangs"

    go_on.set()
    await eventually(lambda: retries(name) >= 1)
    now = 2_000.0
    assert lag(name) == 2_000.0, "while it is retried"


async def test_lag_grows_while_the_database_cannot_be_reached(world: World, name: str) -> None:
    now = 1_000.0
    await given(world, name, leave_effects, dsn="postgresql://postgres@127.0.0.1:1/nowhere", clock=lambda: now)
    await eventually(lambda: retries(name) >= 1)

    now = 1_030.0
    assert lag(name) == 30.0


@pytest.mark.parametrize("refusal", [Reject, lambda _, why: ValueError(why)])
async def test_a_reason_no_text_can_hold_parks_its_key_all_the_same(
    world: World, name: str, refusal: Callable[[Event, str], Exception]
) -> None:
    async def handle(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        for event in events:
            if event.key == "7":
                raise refusal(event, json.loads(b'"unknown name \\ud800\\u0000!"'))
        await leave_effects(connection, events)

    await given(world, name, handle, an_event("7", 1), an_event("42", 1))
    await world.reaches(name, 2)

    ((_, reason),) = await world.parked("7")
    assert reason.endswith("unknown name \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}!")
    assert await world.applied("42") == [1]
