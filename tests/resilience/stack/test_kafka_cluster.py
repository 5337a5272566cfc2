"""Three brokers: one may die at any moment, and nothing that was acknowledged is lost."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stack.servers.kafka_metadata import brokers_known_to
from tests.given import StartKafka
from tests.waiting import eventually

pytestmark = pytest.mark.faults
ORDERS = TopicPartition("orders", 0)


async def leader(bootstrap: str) -> int:
    """The node id of the partition's leader."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (described,) = await admin.describe_topics([ORDERS.topic])
    finally:
        await admin.close()
    return int(described["partitions"][0]["leader"])


async def test_records_are_acknowledged_while_the_leader_is_dead_and_all_are_there_after(
    own_kafka: StartKafka,
) -> None:
    cluster = own_kafka(brokers=3)
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(ORDERS.topic, 1, 3)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(ORDERS.topic, b"before")
        first = await leader(cluster.bootstrap)

        cluster.kill_broker(first)
        await producer.send_and_wait(ORDERS.topic, b"during")
        assert await leader(cluster.bootstrap) != first

        cluster.start_broker(first)
        await producer.send_and_wait(ORDERS.topic, b"after")

    await eventually(lambda: all(brokers_known_to(port) == {1, 2, 3} for port in cluster.ports), within=20)
    async with AIOKafkaConsumer(bootstrap_servers=cluster.bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([ORDERS])
        assert [(await consumer.getone()).value for _ in range(3)] == [b"before", b"during", b"after"]


async def test_a_frozen_broker_answers_nobody_and_returns_when_thawed(own_kafka: StartKafka) -> None:
    cluster = own_kafka(brokers=3)
    frozen, other = cluster.ports[0], cluster.ports[1]

    cluster.freeze_broker(1)
    await eventually(lambda: brokers_known_to(other) == {2, 3}, within=20)
    assert brokers_known_to(frozen, seconds_max=0.1) == frozenset()

    cluster.thaw_broker(1)
    await eventually(lambda: brokers_known_to(frozen) == {1, 2, 3}, within=20)
