"""A ledger in one file: every message is sent twice, every payment is booked once.

Run it with DATABASE_URL, KAFKA and TOPIC set; the database may be empty, the topic must exist.
"""

import asyncio
import os
from collections.abc import Sequence
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaProducer

from inbox import Event, Runner, TopicPolicy, install_sql

BOOKINGS = "create table if not exists bookings (account text, version bigint, amount bigint)"
BOOK = "insert into bookings select * from unnest($1::text[], $2::bigint[], $3::bigint[])"


async def main() -> None:
    """Install the tables, send everything twice, apply it, read the ledger."""
    dsn, kafka, topic = os.environ["DATABASE_URL"], os.environ["KAFKA"], os.environ["TOPIC"]
    await install(dsn)
    await send_twice(kafka, topic)
    booked = asyncio.Event()
    book = Bookkeeper(booked, last_version=3)
    runner = Runner(consumer="ledger", topics=[TopicPolicy(topic)], handler=book, dsn=dsn, bootstrap_servers=kafka)
    applying = asyncio.create_task(runner.run())
    await booked.wait()
    runner.stop()
    await applying
    print(*await ledger(dsn), sep="\n")


class Bookkeeper:
    """The handler: writes in the inbox's transaction; never sees a repeat, nor version 3 before 2."""

    def __init__(self, booked: asyncio.Event, *, last_version: int) -> None:
        self._booked = booked
        self._last_version = last_version

    async def __call__(self, connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        """Book a batch in one statement."""
        await connection.execute(
            BOOK,
            [event.key for event in events],
            [event.version for event in events],
            [int(event.payload) for event in events],
        )
        if events[-1].version == self._last_version:
            self._booked.set()


async def install(dsn: str) -> None:
    """What a migration would do, once."""
    connection = await asyncpg.connect(dsn)
    async with connection.transaction():
        await connection.execute(BOOKINGS)
        await connection.execute(install_sql(app_role=await connection.fetchval("select current_user")))
    await connection.close()


async def send_twice(kafka: str, topic: str) -> None:
    """A producer whose acknowledgements get lost: CloudEvents headers name each event and its version."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        for version, amount in ((1, 100), (1, 100), (2, -30), (2, -30), (3, 5), (3, 5)):
            headers = {
                "ce_id": str(UUID(int=version)),
                "ce_type": "account.moved",
                "ce_time": "2026-11-24T08:00:00Z",
                "ce_sequence": str(version),
            }
            encoded = [(name, value.encode()) for name, value in headers.items()]
            await producer.send_and_wait(topic, key=b"account-7", value=str(amount).encode(), headers=encoded)
    finally:
        await producer.stop()


async def ledger(dsn: str) -> list[str]:
    """What was booked."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("select * from bookings order by version")
    await connection.close()
    return [f"{row['account']} v{row['version']} {row['amount']:+d}" for row in rows]


if __name__ == "__main__":
    asyncio.run(main())
