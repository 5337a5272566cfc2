"""From the order topic into the ledger, through the inbox, on a real broker."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer

from inbox import Event, Limits, Reject, Runner
from inbox.operations import decide, outcome
from services.notification import bootstrap
from tests.given import MakeTopic, SharedKafka
from tests.notification_fixtures import Town
from tests.order_records import Record, a_record, write, writing
from tests.waiting import eventually

if TYPE_CHECKING:
    import asyncpg

QUICK = Limits(
    retry_seconds_min=0.02,
    retry_seconds_max=0.2,
    hint_every_seconds=0.1,
    decisions_every_seconds=0.05,
    stop_seconds_max=3,
)


class Mendable:
    """The service's handler, which stumbles over the events it is told to until it is mended."""

    def __init__(self) -> None:
        self._inner = bootstrap.order_events()
        self.stumbles_over: set[tuple[str, int]] = set()

    async def __call__(self, connection: "asyncpg.Connection[Any]", events: Sequence[Event]) -> None:
        for event in events:
            if (event.key, event.version) in self.stumbles_over:
                raise Reject(event, "a status this release does not know")
        await self._inner(connection, events)


@dataclass(frozen=True, slots=True)
class Consumer:
    """A running consumer and the topic it reads."""

    town: Town
    topic: str
    producer: AIOKafkaProducer
    handler: "Mendable"

    async def reads(self, *records: Record) -> None:
        """Write the records, and after them a good one of another order; return when that one is planned."""
        await write(self.producer, self.topic, *records, a_record(999, 1, "new"))
        await eventually(self._has_read_all, within=20)

    async def _has_read_all(self) -> bool:
        return bool(await self.town.rows(999))

    async def decide(self, action: Literal["release", "discard"], key: str, event_id: UUID | None = None) -> str | None:
        """What an operator decides about a parked order, and what came of it."""
        number = await decide(
            self.town.eye,
            action,
            consumer=bootstrap.NAME,
            topic=self.topic,
            key=key,
            event_id=event_id,
            reason="seen to",
            by="ada",
        )
        return await outcome(self.town.eye, number, wait_seconds=10)

    async def parked(self) -> dict[str, str]:
        """Parked keys with the reason of their first record."""
        rows = await self.town.eye.fetch("select key, reason from inbox_parked order by parked_at desc")
        return {row["key"]: row["reason"] for row in rows}


@pytest.fixture
async def consumer(town: Town, kafka: SharedKafka, topic: MakeTopic) -> AsyncIterator[Consumer]:
    name = await topic("order-events", partitions=1)
    await topic(f"{name}.dead")
    handler = Mendable()
    runner = Runner(
        consumer=bootstrap.NAME,
        topics=[bootstrap.order_topic(name)],
        handler=handler,
        dsn=town.database.app_dsn,
        bootstrap_servers=kafka.bootstrap,
        group_id=f"notification-{name}",
        limits=QUICK,
    )
    running = asyncio.create_task(runner.run())
    async with writing(kafka.bootstrap) as producer:
        yield Consumer(town, name, producer, handler)
        runner.stop()
        await running


async def test_every_status_change_becomes_one_row(consumer: Consumer) -> None:
    chat = await consumer.town.link(7)

    await consumer.reads(
        a_record(42, 1, "new"),
        a_record(42, 2, "awaiting payment"),
        a_record(43, 1, "new", user_id=8),
        a_record(42, 3, "paid"),
    )

    rows = await consumer.town.rows(42)
    assert [(row["version"], row["status"], row["state"], row["chat_id"]) for row in rows] == [
        (1, "new", "planned", chat),
        (2, "awaiting payment", "planned", chat),
        (3, "paid", "planned", chat),
    ]
    assert {row["items"] for row in rows} == {3}
    assert await consumer.town.states(43) == ["no_subscriber"]


async def test_a_repeated_record_is_planned_once(consumer: Consumer) -> None:
    record = a_record(42, 1, "new")

    await consumer.reads(record, record, record)

    assert await consumer.town.states(42) == ["no_subscriber"]


async def test_a_row_continues_the_trace_of_its_status_change(consumer: Consumer) -> None:
    await consumer.reads(a_record(42, 1, "new"))

    (row,) = await consumer.town.rows(42)
    assert row["traceparent"].split("-")[1] == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"body": b"{"}, "body must be JSON"),
        ({"body": b'{"order_id": 42, "status": "lost", "moment": "2026-11-21T14:03:00Z"}'}, "status must be"),
        ({"body": b'{"order_id": 41, "status": "new", "moment": "2026-11-21T14:03:00Z"}'}, "the key is not"),
        ({"without": ("ce_userid",)}, "header ce_userid"),
        ({"ce_userid": "-7"}, "header ce_userid"),
        ({"ce_itemcount": "many"}, "header ce_itemcount"),
    ],
)
async def test_a_record_nobody_can_understand_parks_its_order_alone(
    consumer: Consumer, broken: dict[str, Any], reason: str
) -> None:
    await consumer.reads(a_record(42, 1, "new", **broken), a_record(42, 2, "paid"), a_record(43, 1, "new"))

    assert await consumer.town.states(42) == []
    assert await consumer.town.states(43) == ["no_subscriber"]
    (key,) = await consumer.parked()
    assert key == "42"
    stored = await consumer.town.eye.fetchval("select reason from inbox_parked where version = 1")
    assert stored.startswith(reason) or reason in stored


async def test_an_order_without_a_count_of_items_is_told_without_it(consumer: Consumer) -> None:
    await consumer.reads(a_record(42, 1, "new", without=("ce_itemcount",)))

    (row,) = await consumer.town.rows(42)
    assert row["items"] is None


async def test_poison_between_good_events_holds_up_its_order_alone_which_catches_up_in_order_when_released(
    consumer: Consumer,
) -> None:
    mine, another = await consumer.town.link(7), await consumer.town.link(8)
    consumer.handler.stumbles_over = {("42", 2)}

    await consumer.reads(*interleaved(a_record(42, 2, "awaiting payment")))
    await consumer.town.deliver()
    before = told_of(consumer, mine, 42)
    consumer.handler.stumbles_over = set()
    told = await consumer.decide("release", "42")
    await consumer.town.deliver()

    assert before == [("sendMessage", "o:42:1")]
    assert told_of(consumer, another, 43) == [("sendMessage", "o:43:3"), ("sendMessage", "o:43:3")]
    assert told == "applied 2, still parked 0"
    assert [row["version"] for row in await consumer.town.rows(42)] == [1, 2, 3]
    assert told_of(consumer, mine, 42)[1:] == [("editMessageText", "o:42:3"), ("sendMessage", "o:42:3")]


async def test_poison_that_no_release_can_read_is_dropped_and_its_order_goes_on_behind_it(consumer: Consumer) -> None:
    mine, another = await consumer.town.link(7), await consumer.town.link(8)
    broken = uuid4()

    await consumer.reads(*interleaved(a_record(42, 2, "awaiting payment", event_id=broken, body=b'{"order_id": 42')))
    waiting = await consumer.town.eye.fetch("select version from inbox_parked where key = '42' order by version")
    told = await consumer.decide("discard", "42", broken)
    await consumer.town.deliver()

    assert [row["version"] for row in waiting] == [2, 3]
    assert told == "dropped one; applied 1, still parked 0"
    assert [row["version"] for row in await consumer.town.rows(42)] == [1, 3]
    assert told_of(consumer, mine, 42) == [("sendMessage", "o:42:3"), ("sendMessage", "o:42:3")]
    assert told_of(consumer, another, 43) == [("sendMessage", "o:43:3"), ("sendMessage", "o:43:3")]


def told_of(consumer: Consumer, chat: int, order_id: int) -> list[tuple[str, str]]:
    """What the Bot API accepted of an order."""
    return [call for call in consumer.town.accepted(chat) if f":{order_id}:" in call[1]]


def interleaved(poison: Record) -> list[Record]:
    """The events of two orders in turn; the poison is the second of order 42."""
    return [
        a_record(42, 1, "new"),
        a_record(43, 1, "new", user_id=8),
        poison,
        a_record(43, 2, "awaiting payment", user_id=8),
        a_record(42, 3, "paid"),
        a_record(43, 3, "paid", user_id=8),
    ]
