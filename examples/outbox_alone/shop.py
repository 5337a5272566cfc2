"""A shop in one file: an order changes three times, and Kafka hears of it three times, in order.

Run it with DATABASE_URL, KAFKA and TOPIC set; the database may be empty, the topic must exist.
"""

import asyncio
import os

import asyncpg
from aiokafka import AIOKafkaConsumer

from outbox import Message, Relay, TopicRule, Wake, Writer, install_sql

ORDERS = "create table if not exists orders (order_id bigint primary key, status text, version bigint)"
PLACE = "insert into orders values ($1, 'placed', 1) returning version"
MOVE = "update orders set status = $2, version = version + 1 where order_id = $1 returning version"


async def main() -> None:
    """Install the tables, change an order, relay, read what Kafka has."""
    dsn, kafka, topic = os.environ["DATABASE_URL"], os.environ["KAFKA"], os.environ["TOPIC"]
    await install(dsn)
    rule = TopicRule(topic, versioned=True)
    writer, wake = Writer([rule]), Wake(dsn)
    relay = Relay(dsn=dsn, bootstrap_servers=kafka, topics=[rule], source="shop")
    await wake.start()
    relaying = asyncio.create_task(relay.run())
    try:
        for status in ("placed", "paid", "shipped"):
            await change(dsn, writer, topic, order_id=42, status=status)
            wake.set()  # after the commit: the relay looks at once instead of at its next poll
        print(*await received(kafka, topic, count=3), sep="\n")
    finally:
        relay.request_stop()
        await relaying
        await wake.stop()


async def install(dsn: str) -> None:
    """What a migration would do, once."""
    connection = await asyncpg.connect(dsn)
    async with connection.transaction():
        await connection.execute(ORDERS)
        await connection.execute(install_sql(writer_role=await connection.fetchval("select current_user")))
    await connection.close()


async def change(dsn: str, writer: Writer, topic: str, *, order_id: int, status: str) -> None:
    """One fact: the order's row and its message, both or neither."""
    connection = await asyncpg.connect(dsn)
    async with connection.transaction():
        if status == "placed":
            version = await connection.fetchval(PLACE, order_id)
        else:
            version = await connection.fetchval(MOVE, order_id, status)
        message = Message(
            topic=topic,
            key=str(order_id),
            version=version,
            type=f"order.{status}",
            payload=f'{{"status": "{status}"}}'.encode(),
        )
        await writer.append(connection, message)
    await connection.close()


async def received(kafka: str, topic: str, *, count: int) -> list[str]:
    """What any consumer of the topic sees."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        records = [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()
    return [f"{record.key.decode()} {dict(record.headers)['ce_type'].decode()}" for record in records]


if __name__ == "__main__":
    asyncio.run(main())
