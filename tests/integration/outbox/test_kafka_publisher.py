"""What only the real broker can do to the real publisher."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from outbox import TopicRule, errors
from outbox.kafka import KafkaPublisher
from outbox.publisher import Stamp
from tests.given import MakeTopic, SharedKafka
from tests.outbox_given import read_topic, versions_of
from tests.outbox_rows import a_row

STAMP = Stamp(history="7300/1", epoch=1, voids=frozenset())


@pytest.fixture
async def admin(kafka: SharedKafka) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


def _publisher(kafka: SharedKafka, topic: str) -> KafkaPublisher:
    return KafkaPublisher(
        bootstrap_servers=kafka.bootstrap,
        topics=[TopicRule(topic, versioned=True)],
        source="loms",
        publish_seconds_max=1.0,
        topic_missing_seconds=0.1,
    )


async def _publish_again_and_again(publisher: KafkaPublisher, rows: list[tuple[object, ...]]) -> int:
    """As the relay does; returns how many attempts failed before all was acknowledged."""
    failures = 0
    while True:
        try:
            await publisher.publish(rows, STAMP)
        except errors.PublishFailed:
            failures += 1
            continue
        return failures


async def test_batches_shrink_when_a_topics_limit_was_lowered_and_its_rows_still_fit(
    kafka: SharedKafka, topic: MakeTopic, admin: AIOKafkaAdminClient
) -> None:
    orders = await topic("orders")
    publisher = _publisher(kafka, orders)
    await publisher.publish([a_row(orders, 1)], STAMP)
    lowered = ConfigResource(ConfigResourceType.TOPIC, orders, {"max.message.bytes": "150000"})
    await admin.alter_configs([lowered])

    failures = await _publish_again_and_again(
        publisher, [a_row(orders, seq, payload=os.urandom(50_000)) for seq in range(2, 22)]
    )

    records = await read_topic(kafka.bootstrap, orders, until=lambda found: 21 in versions_of(found, "42"))
    assert failures > 0
    assert list(dict.fromkeys(versions_of(records, "42"))) == list(range(1, 22))
    await publisher.discard()


async def test_a_producer_whose_client_hears_no_cancellation_is_discarded_all_the_same(
    kafka: SharedKafka, topic: MakeTopic
) -> None:
    orders = await topic("orders")
    publisher = _publisher(kafka, orders)
    await publisher.publish([a_row(orders, 1)], STAMP)
    producer = publisher._producer
    assert producer is not None
    client = producer.client
    heard, client._sync_task = client._sync_task, asyncio.create_task(_hears_the_second_time())
    await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await publisher.discard()

    assert client._sync_task is None
    heard.cancel()
    await publisher.publish([a_row(orders, 2)], STAMP)
    await publisher.discard()


async def _hears_the_second_time() -> None:
    """What `asyncio.wait_for` before Python 3.12 makes of a task."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.Event().wait()


async def test_a_topic_deleted_under_a_live_publisher_is_named_after_a_while(
    kafka: SharedKafka, topic: MakeTopic, admin: AIOKafkaAdminClient
) -> None:
    kept = await topic("kept")
    publisher = _publisher(kafka, kept)
    await publisher.publish([a_row(kept, 1)], STAMP)

    with pytest.raises(errors.TopicUnusable, match="never-made"):
        await _publish_again_and_again(publisher, [a_row("never-made", 1)])
    await admin.delete_topics([kept])
    with pytest.raises(errors.TopicUnusable, match="the broker does not have it"):
        await _publish_again_and_again(publisher, [a_row(kept, 2)])
