"""When an answer is lost: a COMMIT's, and the broker's."""

import asyncio
import os
from typing import Any

import asyncpg
import pytest

from outbox import TopicRule, append, errors
from outbox.kafka import KafkaPublisher
from outbox.publisher import Stamp
from outbox.testing import FakeBroker
from tests.commit_cut import Where, commit_cut
from tests.given import Database, MakeTopic, SharedKafka, StartKafka
from tests.outbox_given import Connection, a_message, a_relay, create_topic, read_topic, running, versions_of
from tests.outbox_rows import a_row
from tests.waiting import eventually

pytestmark = pytest.mark.faults

STAMP = Stamp(history="7300/1", epoch=1, voids=frozenset())


@pytest.mark.parametrize(("where", "there"), [("before", False), ("after", True)])
async def test_an_event_and_its_order_are_both_there_or_both_not_when_commit_goes_unanswered(
    outbox_database: Database, connection: Connection, where: Where, *, there: bool
) -> None:
    await connection.execute("create table orders (order_id int primary key, version int not null)")
    broker = FakeBroker()
    async with commit_cut(outbox_database.dsn) as (cut, address):
        writer = await asyncpg.connect(address)
        cut.arm(where)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await _place_an_order(writer)
        writer.terminate()

    async with running(a_relay(outbox_database.dsn, broker, TopicRule("orders", versioned=True))):
        await eventually(lambda: len(broker.records("orders")) == int(there))
        assert await connection.fetchval("select count(*) from orders") == int(there)
        assert await connection.fetchval("select count(*) from outbox") == int(there)


async def _place_an_order(writer: Connection) -> None:
    async with writer.transaction():
        await writer.execute("insert into orders values (42, 1)")
        await append(writer, a_message("orders", key="42", version=1))


async def test_of_three_batches_the_refused_first_lets_none_pass(kafka: SharedKafka, topic: MakeTopic) -> None:
    orders = await topic("orders", max_message_bytes="3000")
    publisher = KafkaPublisher(
        bootstrap_servers=kafka.bootstrap, topics=[TopicRule(orders, versioned=True, max_bytes=3_000)], source="loms"
    )
    rows = [a_row(orders, 1, payload=os.urandom(6_000))]
    rows += [a_row(orders, seq, payload=os.urandom(1_500)) for seq in (2, 3)]

    with pytest.raises(errors.RecordRefused) as refused:
        await publisher.publish(rows, STAMP)

    assert refused.value.event_id == rows[0][1]
    await publisher.publish([a_row(orders, 9)], STAMP)
    records = await read_topic(kafka.bootstrap, orders, until=lambda found: len(found) >= 1)
    assert versions_of(records, "42") == [9]
    await publisher.discard()


async def test_a_discarded_producers_batch_lands_at_most_as_a_repeat(own_kafka: StartKafka) -> None:
    kafka = await asyncio.to_thread(own_kafka)
    await create_topic(kafka.bootstrap, "orders")
    rows: list[Any] = [a_row("orders", seq) for seq in (1, 2, 3)]
    first, second = (_impatient(kafka.bootstrap) for _ in range(2))
    await first.publish(rows[:1], STAMP)
    await second.open()

    await asyncio.to_thread(kafka.freeze)
    with pytest.raises(errors.PublishFailed):
        await first.publish(rows[1:2], STAMP)
    await asyncio.to_thread(kafka.thaw)
    await _published(second, rows[1:])

    records = await read_topic(kafka.bootstrap, "orders", until=lambda found: 3 in versions_of(found, "42"))
    assert list(dict.fromkeys(versions_of(records, "42"))) == [1, 2, 3]
    await second.discard()


def _impatient(bootstrap: str) -> KafkaPublisher:
    rule = TopicRule("orders", versioned=True)
    return KafkaPublisher(bootstrap_servers=bootstrap, topics=[rule], source="loms", publish_seconds_max=1.0)


async def _published(publisher: KafkaPublisher, rows: list[Any]) -> None:
    """As the relay does: again until it is acknowledged."""
    while True:
        try:
            await publisher.publish(rows, STAMP)
        except errors.PublishFailed:
            continue
        return
