"""One suite for every publisher: the real one, and the broker in memory other tests use."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from outbox import TopicRule, errors
from outbox.kafka import KafkaPublisher
from outbox.publisher import Publisher, Stamp
from outbox.testing import FakeBroker, FakePublisher
from tests.outbox_given import read_topic
from tests.outbox_rows import a_row

if TYPE_CHECKING:
    from tests.given import MakeTopic, SharedKafka

STAMP = Stamp(history="7300/1", epoch=3, voids=frozenset())


@dataclass(frozen=True, slots=True)
class Landed:
    """A record as a consumer finds it."""

    partition: int
    key: str
    value: bytes | None
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stand:
    """A broker, and how to make publishers for it and look into it."""

    create_topic: Callable[..., Awaitable[str]]
    publisher: Callable[..., Publisher]
    landed: Callable[[str, int], Awaitable[list[Landed]]]


@pytest.fixture(params=["memory", "kafka"])
def stand(request: pytest.FixtureRequest) -> Stand:
    return _memory() if request.param == "memory" else _kafka(request)


def _memory() -> Stand:
    broker = FakeBroker()

    async def create(name: str, *, partitions: int = 1, max_message_bytes: int = 1_048_588) -> str:
        broker.create_topic(name, partitions=partitions, max_message_bytes=max_message_bytes)
        return name

    async def landed(topic: str, count: int) -> list[Landed]:
        found = [
            Landed(number, record.key, record.value, record.headers)
            for number, partition in enumerate(broker.topics[topic].partitions)
            for record in partition
        ]
        assert len(found) >= count
        return found

    def publisher(*rules: TopicRule, away: bool = False) -> Publisher:
        return FakePublisher(FakeBroker(away=True) if away else broker, rules, source="loms")

    return Stand(create, publisher, landed)


def _kafka(request: pytest.FixtureRequest) -> Stand:
    kafka: SharedKafka = request.getfixturevalue("kafka")
    make: MakeTopic = request.getfixturevalue("topic")

    async def create(name: str, *, partitions: int = 1, max_message_bytes: int = 1_048_588) -> str:
        return await make(name, partitions=partitions, max_message_bytes=str(max_message_bytes))

    async def landed(topic: str, count: int) -> list[Landed]:
        records = await read_topic(kafka.bootstrap, topic, until=lambda found: len(found) >= count)
        return [_landed(record) for record in sorted(records, key=lambda found: (found.partition, found.offset))]

    def publisher(*rules: TopicRule, away: bool = False) -> Publisher:
        bootstrap = "127.0.0.1:1" if away else kafka.bootstrap
        return KafkaPublisher(bootstrap_servers=bootstrap, topics=rules, source="loms", publish_seconds_max=2.0)

    return Stand(create, publisher, landed)


def _landed(record: Any) -> Landed:
    headers = {name: value.decode() for name, value in record.headers}
    return Landed(record.partition, record.key.decode(), record.value, headers)


async def test_rows_of_a_key_lie_in_order_in_the_partition_of_its_hash(stand: Stand) -> None:
    topic = await stand.create_topic("orders", partitions=3)
    publisher = stand.publisher(TopicRule(topic, versioned=True))
    keys = ["1", "2", "3", "4", "5", "42"]

    await publisher.publish([a_row(topic, seq, key=keys[seq % 6]) for seq in range(1, 61)], STAMP)
    await publisher.publish([a_row(topic, seq, key=keys[seq % 6]) for seq in range(61, 121)], STAMP)

    landed = await stand.landed(topic, 120)
    for key in keys:
        of_key = [record for record in landed if record.key == key]
        assert [int(record.headers["outbox_seq"]) for record in of_key] == [
            seq for seq in range(1, 121) if keys[seq % 6] == key
        ]
        assert len({record.partition for record in of_key}) == 1
    assert {record.partition for record in landed if record.key in {"1", "2"}} == {0, 2}
    await publisher.discard()


async def test_a_record_carries_the_row_and_the_stamp(stand: Stand) -> None:
    topic = await stand.create_topic("orders")
    publisher = stand.publisher(TopicRule(topic, versioned=True, source="shop", content_type="text/plain"))
    row = a_row(topic, 7, version=2, headers='{"ce_userid": "7"}', payload=b"\x00body")

    await publisher.publish([row], STAMP)

    [record] = await stand.landed(topic, 1)
    assert (record.key, record.value) == ("42", b"\x00body")
    assert record.headers == {
        "ce_specversion": "1.0",
        "ce_id": str(row[1]),
        "ce_source": "shop",
        "ce_type": "order.paid",
        "ce_time": "2026-11-21T08:00:00.123456Z",
        "ce_subject": "42",
        "ce_sequence": "2",
        "ce_userid": "7",
        "content-type": "text/plain",
        "outbox_seq": "7",
        "outbox_history": "7300/1",
        "outbox_epoch": "3",
    }
    await publisher.discard()


async def test_a_topic_without_versions_has_no_sequence(stand: Stand) -> None:
    topic = await stand.create_topic("audit")
    publisher = stand.publisher(TopicRule(topic, versioned=False))

    await publisher.publish([a_row(topic, 1, version=None)], STAMP)

    [record] = await stand.landed(topic, 1)
    assert "ce_sequence" not in record.headers
    assert record.headers["ce_source"] == "loms"
    await publisher.discard()


async def test_a_voided_event_keeps_its_place_without_its_body(stand: Stand) -> None:
    topic = await stand.create_topic("orders")
    publisher = stand.publisher(TopicRule(topic, versioned=True))
    rows = [a_row(topic, seq) for seq in (1, 2, 3)]

    await publisher.publish(rows, Stamp("7300/1", 3, frozenset({rows[1][1]})))

    landed = await stand.landed(topic, 3)
    assert [(record.headers["ce_sequence"], record.headers["ce_type"], record.value) for record in landed] == [
        ("1", "order.paid", b"{}"),
        ("2", "outbox.void", None),
        ("3", "order.paid", b"{}"),
    ]
    await publisher.discard()


@pytest.mark.parametrize("absent", ["unheard-of", "bad topic!"])
async def test_a_voided_event_of_a_topic_that_is_not_there_is_passed_over(stand: Stand, absent: str) -> None:
    topic = await stand.create_topic("orders")
    publisher = stand.publisher(TopicRule(topic, versioned=True))
    rows = [a_row(topic, 1), a_row(absent, 2), a_row(topic, 3, version=2)]

    await publisher.publish(rows, Stamp("7300/1", 3, frozenset({rows[1][1]})))

    landed = await stand.landed(topic, 2)
    assert [record.headers["ce_sequence"] for record in landed] == ["1", "2"]
    with pytest.raises(errors.TopicUnusable):
        await publisher.publish(rows, STAMP)
    await publisher.discard()


async def test_the_row_the_broker_never_takes_is_named_and_nothing_overtakes_it(stand: Stand) -> None:
    topic = await stand.create_topic("orders", max_message_bytes=3_000)
    publisher = stand.publisher(TopicRule(topic, versioned=True, max_bytes=3_000))
    rows = [a_row(topic, seq, payload=os.urandom(10)) for seq in range(1, 10)]
    rows[4] = a_row(topic, 5, payload=os.urandom(6_000))

    with pytest.raises(errors.RecordRefused) as refused:
        await publisher.publish(rows, STAMP)

    assert refused.value.event_id == rows[4][1]
    landed = await stand.landed(topic, 4)
    assert list(dict.fromkeys(int(record.headers["ce_sequence"]) for record in landed)) == [1, 2, 3, 4]


async def test_after_a_refusal_the_publisher_publishes_on(stand: Stand) -> None:
    topic = await stand.create_topic("orders", max_message_bytes=3_000)
    publisher = stand.publisher(TopicRule(topic, versioned=True, max_bytes=3_000))
    with pytest.raises(errors.RecordRefused):
        await publisher.publish([a_row(topic, 1, payload=os.urandom(6_000))], STAMP)

    await publisher.publish([a_row(topic, 1)], STAMP)

    assert [record.value for record in await stand.landed(topic, 1)] == [b"{}"]
    await publisher.discard()


async def test_more_than_one_batch_holds_arrives_whole_and_in_order(stand: Stand) -> None:
    topic = await stand.create_topic("orders")
    publisher = stand.publisher(TopicRule(topic, versioned=True))
    rows = [a_row(topic, seq, payload=os.urandom(100_000)) for seq in range(1, 31)]

    await publisher.publish(rows, STAMP)

    landed = await stand.landed(topic, 30)
    assert [record.value for record in landed] == [row[8] for row in rows]
    await publisher.discard()


async def test_a_missing_topic_is_named(stand: Stand) -> None:
    with pytest.raises(errors.TopicUnusable, match="unheard-of"):
        await stand.publisher(TopicRule("unheard-of", versioned=True)).open()


async def test_a_topic_that_takes_less_than_append_allows_is_named(stand: Stand) -> None:
    topic = await stand.create_topic("orders", max_message_bytes=3_000)

    with pytest.raises(errors.TopicUnusable, match=r"max\.message\.bytes"):
        await stand.publisher(TopicRule(topic, versioned=True, max_bytes=3_001)).open()


async def test_a_broker_that_is_away_is_a_failure_that_passes(stand: Stand) -> None:
    publisher = stand.publisher(TopicRule("orders", versioned=True), away=True)

    with pytest.raises(errors.PublishFailed):
        await publisher.publish([a_row("orders", 1)], STAMP)
    await publisher.discard()
