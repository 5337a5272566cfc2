"""The servers other tests stand on."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from redis.asyncio import Redis

from tests.given import Database, MakeTopic, SharedKafka, SharedValkey


async def test_a_test_gets_an_empty_database_of_its_own(database: Database) -> None:
    connection = await asyncpg.connect(database.dsn)

    tables = await connection.fetch("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")
    name = await connection.fetchval("SELECT current_database()")
    await connection.close()

    assert (tables, name) == ([], database.name)


async def test_a_record_sent_to_a_fresh_topic_comes_back(kafka: SharedKafka, topic: MakeTopic) -> None:
    orders = await topic("orders", partitions=2)

    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        await producer.send_and_wait(orders, b"paid", partition=1)
    async with AIOKafkaConsumer(orders, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()

    assert (record.partition, record.value) == (1, b"paid")


async def test_a_test_gets_an_empty_valkey_database_of_its_own(valkey: SharedValkey) -> None:
    async with Redis.from_url(valkey.url) as client:
        await client.set("cart:1", "apple")

        assert await client.dbsize() == 1
