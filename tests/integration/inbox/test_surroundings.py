"""What fails around a consumer costs time, never an event; what no restart helps ends it by name."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import TopicPartition
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from inbox import Event, NeedsOperator, TopicPolicy
from inbox.event import Keyless
from inbox.source import Changed, SessionBroken, Source
from inbox.testing import MemoryBroker, MemoryDeadLetters, MemorySource
from tests.given import Database
from tests.integration.inbox.world import CONSUMER, QUICK, Sent, World, an_event, leave_effects, world_of
from tests.waiting import eventually


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """A world whose log is in memory."""
    async with world_of(database.dsn, "nowhere:1") as made:
        yield made


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
def name(broker: MemoryBroker) -> str:
    """A topic no other test's counters know."""
    topic = f"orders-{uuid4().hex[:8]}"
    broker.make_topic(topic)
    return topic


async def append(broker: MemoryBroker, topic: str, *records: Sent) -> None:
    for record in records:
        await broker.append(topic, key=record.key, value=record.value, headers=list(record.headers))


def start(world: World, broker: MemoryBroker, topic: str, **options: Any) -> asyncio.Task[None]:
    policy = options.pop("policy", TopicPolicy(topic))
    sources = options.pop("sources", broker.member_of("group", topic))
    return world.start(
        policy, sources=sources, dead_letters=options.pop("dead_letters", MemoryDeadLetters()), **options
    )


def counted(series: str, topic: str | None = None) -> float:
    labels = {"consumer": CONSUMER} | ({"topic": topic} if topic else {})
    return REGISTRY.get_sample_value(series, labels) or 0.0


class Unlucky(MemorySource):
    """A member whose client fails in one way, once."""

    def __init__(self, broker: MemoryBroker, topic: str, failures: list[str]) -> None:
        super().__init__(broker, "group", [topic])
        self._failures = failures

    async def start(self, *, assigned: Changed, revoked: Changed) -> None:
        self._maybe("start", ConnectionError("no broker answers"))
        await super().start(assigned=assigned, revoked=revoked)

    async def pulse(self) -> None:
        self._maybe("pulse", SessionBroken("the group does not want us"))

    async def cluster_id(self) -> str:
        self._maybe("cluster_id", TimeoutError())
        return await super().cluster_id()

    async def poll(self, at: TopicPartition, *, records_max: int, seconds_max: float) -> Any:
        self._maybe("poll", SessionBroken("the client is done for"))
        return await super().poll(at, records_max=records_max, seconds_max=seconds_max)

    def _maybe(self, what: str, error: Exception) -> None:
        if what in self._failures:
            self._failures.remove(what)
            raise error


def unlucky(broker: MemoryBroker, topic: str, failures: list[str]) -> Callable[[], Source]:
    return lambda: Unlucky(broker, topic, failures)


@pytest.mark.parametrize("what", ["start", "pulse", "cluster_id", "poll"])
async def test_a_client_that_fails_is_waited_out_or_built_anew(
    what: str, world: World, broker: MemoryBroker, name: str
) -> None:
    failures = [what]
    start(world, broker, name, sources=unlucky(broker, name, failures))
    await eventually(lambda: not failures)
    await append(broker, name, an_event("42", 1), an_event("42", 2))

    await world.reaches(name, 2)

    assert await world.applied("42") == [1, 2]


async def test_a_topic_that_is_missing_is_told(
    world: World, broker: MemoryBroker, caplog: pytest.LogCaptureFixture
) -> None:
    start(world, broker, "never-made")

    def told() -> list[object]:
        return [vars(each)["topics"] for each in caplog.records if each.getMessage() == "inbox.topics_missing"]

    await eventually(lambda: told() == [["never-made"]])


async def test_dead_letters_that_cannot_be_sent_hold_the_batch_back(
    world: World, broker: MemoryBroker, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Stubborn(MemoryDeadLetters):
        refusals = 2

        async def send(self, topic: str, keyless: Keyless, *, consumer: str) -> None:
            if self.refusals:
                self.refusals -= 1
                raise ConnectionError("no broker answers")
            await super().send(topic, keyless, consumer=consumer)

    letters = Stubborn()
    await append(broker, name, an_event("42", 1), replace(an_event("", 1), key=None), an_event("42", 2))
    start(world, broker, name, dead_letters=letters)

    await world.reaches(name, 3)

    told = [vars(record)["why"] for record in caplog.records if record.getMessage() == "inbox.turn_undone"]
    assert all(f"cannot be written to {name}.dead (is that topic there" in why for why in told)
    assert len(told) == 2

    assert [(topic, keyless.reason) for topic, keyless, _ in letters.sent] == [(f"{name}.dead", "no key")]
    assert await world.applied("42") == [1, 2]


@pytest.mark.parametrize("while_one_by_one", [False, True])
async def test_surroundings_that_fail_in_a_handler_park_nothing(
    while_one_by_one: bool,  # noqa: FBT001 - given by pytest
    world: World,
    broker: MemoryBroker,
    name: str,
) -> None:
    failures = 3

    async def handle(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        nonlocal failures
        if while_one_by_one and len(events) > 1:
            raise KeyError("a bug in batches")
        await leave_effects(connection, events)
        if events[-1].version == 2 and failures:
            failures -= 1
            raise asyncpg.DeadlockDetectedError("two of us")

    await append(broker, name, an_event("42", 1), an_event("42", 2))
    start(world, broker, name, handler=handle)

    await world.reaches(name, 2)

    assert await world.applied("42") == [1, 2]
    assert await world.parked("42") == []
    assert counted("inbox_retries_total", name) == 3


async def test_a_missing_table_waits_for_its_migration(world: World, broker: MemoryBroker, name: str) -> None:
    async def handle(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        await leave_effects(connection, events)
        await connection.execute("insert into not_there_yet default values")

    await append(broker, name, an_event("42", 1))
    start(world, broker, name, handler=handle)
    await eventually(lambda: counted("inbox_retries_total", name) >= 2)

    await world.connection.execute("create table not_there_yet (place bigint generated always as identity)")
    await world.reaches(name, 1)

    assert await world.applied("42") == [1]


async def test_a_partition_another_process_took_is_given_way_to(world: World, broker: MemoryBroker, name: str) -> None:
    start(world, broker, name)
    await append(broker, name, an_event("42", 1))
    await world.reaches(name, 1)
    await world.connection.execute("update inbox_partition set epoch = epoch + 1, owner = gen_random_uuid()")

    await append(broker, name, an_event("42", 2))
    await eventually(lambda: counted("inbox_fenced_total", name) == 1)

    assert await world.position(name) == 1
    assert await world.applied("42") == [1]


async def test_a_batch_held_while_the_partition_is_taken_commits_nothing(
    world: World, broker: MemoryBroker, name: str
) -> None:
    handling, taken = asyncio.Event(), asyncio.Event()

    async def handle(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        await leave_effects(connection, events)
        handling.set()
        await taken.wait()

    await append(broker, name, an_event("42", 1))
    start(world, broker, name, handler=handle)
    await handling.wait()
    await world.connection.execute("update inbox_partition set epoch = epoch + 1, owner = gen_random_uuid()")
    taken.set()

    await eventually(lambda: counted("inbox_fenced_total", name) == 1)

    assert await world.applied("42") == []
    assert await world.position(name) == 0


async def test_a_transaction_left_open_is_ended_by_the_server(world: World, broker: MemoryBroker, name: str) -> None:
    first = True

    async def handle(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        nonlocal first
        await leave_effects(connection, events)
        if first:
            first = False
            await eventually(connection.is_closed)

    await append(broker, name, an_event("42", 1))
    start(world, broker, name, handler=handle, limits=replace(QUICK, idle_transaction_seconds_max=0.2))

    await world.reaches(name, 1)

    assert await world.applied("42") == [1]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (
            "update inbox_partition set cluster_id = 'another'",
            "the position belongs to cluster another, this is memory",
        ),
        ("update inbox_partition set last_event_id = gen_random_uuid()", "the topic was made anew"),
        ("update inbox_partition set next_offset = 0", "lies outside the log, which holds 1 to 3"),
        ("update inbox_partition set next_offset = 9", "lies outside the log, which holds 1 to 3"),
    ],
)
async def test_a_position_that_does_not_fit_its_log_ends_the_runner_and_stays_refused(
    sql: str, why: str, world: World, broker: MemoryBroker, name: str
) -> None:
    await append(broker, name, an_event("42", 1), an_event("42", 2), an_event("42", 3))
    start(world, broker, name)
    await world.reaches(name, 3)
    await world.stop()
    broker.delete_before(name, 1)
    await world.connection.execute(sql)

    for _ in range(2):
        with pytest.raises(NeedsOperator, match=why) as ended:
            await start(world, broker, name)
        assert f"--consumer {CONSUMER} --topic {name} --partition 0" in str(ended.value)

    assert await world.applied("42") == [1, 2, 3]


async def test_a_quiet_partition_that_outlived_its_retention_goes_on(
    world: World, broker: MemoryBroker, name: str
) -> None:
    await append(broker, name, an_event("42", 1), an_event("42", 2))
    start(world, broker, name)
    await world.reaches(name, 2)
    await world.stop()
    broker.delete_before(name, 2)

    start(world, broker, name)
    await append(broker, name, an_event("42", 3))
    await world.reaches(name, 3)

    assert await world.applied("42") == [1, 2, 3]


async def test_a_log_whose_last_record_vanished_alone_is_refused(world: World, broker: MemoryBroker, name: str) -> None:
    await append(broker, name, an_event("42", 1), an_event("42", 2), an_event("42", 3))
    start(world, broker, name)
    await world.reaches(name, 3)
    await world.stop()
    partition = broker.partition(TopicPartition(name, 0))
    partition.records[2] = replace(partition.records[2], offset=5)

    with pytest.raises(NeedsOperator, match="is gone while older ones are there"):
        await start(world, broker, name)


async def test_a_span_of_a_batch_that_was_undone_says_so(world: World, broker: MemoryBroker, name: str) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    failures = iter([ConnectionError("away")])

    async def fails_once(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        for failure in failures:
            raise failure
        await leave_effects(connection, events)

    await append(broker, name, an_event("42", 1))
    start(world, broker, name, handler=fails_once, tracer=provider.get_tracer("test"))
    await world.reaches(name, 1)
    await eventually(lambda: len(exporter.get_finished_spans()) == 2)

    assert [span.status.is_ok for span in exporter.get_finished_spans()] == [False, True]


async def test_every_end_of_a_record_is_counted(world: World, broker: MemoryBroker, name: str) -> None:
    async def refuse_7(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        if any(event.key == "7" for event in events):
            raise ValueError("no seven")
        await leave_effects(connection, events)

    again = an_event("42", 1)
    await append(broker, name, again, again, an_event("42", 2, kind="outbox.void", body=None))
    await append(broker, name, an_event("gap", 2), an_event("7", 1), an_event("42", 2), Sent(None, b"", []))
    start(world, broker, name, handler=refuse_7)
    await world.reaches(name, 7)

    assert {
        series: counted(f"inbox_{series}_total", name)
        for series in ("applied", "duplicates", "void", "gap", "fork", "poison", "dead_letters", "owned")
    } == {
        "applied": 1,
        "duplicates": 1,
        "void": 1,
        "gap": 1,
        "fork": 1,
        "poison": 1,
        "dead_letters": 1,
        "owned": 1,
    }
    await eventually(lambda: counted("inbox_parked_keys", name) == 3)
    assert counted("inbox_commit_to_applied_seconds_count", name) == 1
    assert counted("inbox_batch_events_count", name) >= 1
    assert counted("inbox_apply_seconds_count", name) >= 1


async def test_a_truncated_log_counts_the_keys_it_takes_up_in_the_middle(
    world: World, broker: MemoryBroker, name: str
) -> None:
    await append(broker, name, an_event("42", 1), an_event("42", 2), an_event("42", 3))
    broker.delete_before(name, 2)
    start(world, broker, name)
    await world.reaches(name, 3)

    assert await world.applied("42") == [3]
    assert counted("inbox_adopted_total", name) == 1


async def test_lag_is_the_age_of_what_is_not_applied_and_nothing_when_all_is(
    world: World, broker: MemoryBroker, name: str
) -> None:
    handling, go_on = asyncio.Event(), asyncio.Event()

    async def handle(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        handling.set()
        await go_on.wait()
        await leave_effects(connection, events)

    def lag() -> float | None:
        labels = {"consumer": CONSUMER, "topic": name, "partition": "0"}
        return REGISTRY.get_sample_value("inbox_lag_seconds", labels)

    await broker.append(name, key=b"42", value=b"{}", headers=list(an_event("42", 1).headers), timestamp=990_000)
    start(world, broker, name, handler=handle, clock=lambda: 1_000.0)
    await handling.wait()
    assert lag() == 10.0

    go_on.set()
    await world.reaches(name, 1)

    await eventually(lambda: lag() == 0.0)
    await world.stop()
    assert lag() is None, "what this process has no longer is not its to measure"


async def test_an_unreadable_record_of_a_topic_without_versions_parks_its_key_once(
    world: World, broker: MemoryBroker, name: str
) -> None:
    await append(broker, name, Sent(b"42", b"{}", []), an_event("42", None), an_event("7", None))
    start(world, broker, name, policy=TopicPolicy(name, versioned=False))
    await world.reaches(name, 3)

    assert [reason for _, reason in await world.parked("42")] == ["header ce_id is missing", "behind a parked event"]
    assert len(await world.applied("7")) == 1


async def test_an_unreadable_record_from_the_year_33658_parks_its_key_like_any_other(
    world: World, broker: MemoryBroker, name: str
) -> None:
    for _ in range(2):
        await broker.append(name, key=b"42", value=b"{}", timestamp=10**15)
    await append(broker, name, an_event("7", None))
    start(world, broker, name, policy=TopicPolicy(name, versioned=False))
    await world.reaches(name, 3)

    assert [reason for _, reason in await world.parked("42")] == ["header ce_id is missing", "behind a parked event"]
    assert len(await world.applied("7")) == 1
