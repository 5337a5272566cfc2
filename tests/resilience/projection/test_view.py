"""The view equals the database of LOMS: after ten thousand events with a kill -9 between, and after a rebuild."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from events.create import create_topics
from events.topics import ORDER_EVENTS
from stack.ports import free_port
from stack.servers import Kafka
from tests.given import StartKafka
from tests.loms_fixtures import Platform
from tests.loms_processes import command_of_loms
from tests.projection_processes import ProjectionProcess
from tests.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

ORDERS = 3_750
WRITERS = 12
SEEN_BEFORE_THE_KILL = 1_000
SKUS = (1002, 1003, 1004)
UNKNOWN_SKU = 9_999_999
ENDS = {"paid": 60, "cancelled": 15, "awaiting payment": 15, "failed": 10}
"""How orders end, in hundredths."""


@pytest.fixture
async def cluster(own_kafka: StartKafka) -> Kafka:
    kafka = own_kafka()
    await create_topics(kafka.bootstrap)
    return kafka


@pytest.fixture
def process(tmp_path: Path, cluster: Kafka) -> Iterator[ProjectionProcess]:
    process = ProjectionProcess(tmp_path, cluster.bootstrap)
    yield process
    process.kill()


async def test_the_view_equals_the_database(process: ProjectionProcess, platform: Platform, cluster: Kafka) -> None:
    process.start()
    async with relay(platform, cluster):
        writing = asyncio.create_task(lives(platform, seed=random.randrange(1_000_000)))
        await eventually(lambda: seen(process, SEEN_BEFORE_THE_KILL), within=60, every=0.2)
        process.end(signal.SIGKILL)
        await unreadable_and_withdrawn(cluster)
        await writing
        process.start()

        await eventually(lambda: as_many_events(process, platform), within=90, every=0.5)
        assert await shown(process, platform) == await written(platform)

    await process.rebuild()
    await process.whole()
    assert await shown(process, platform) == await written(platform)
    assert await dead_letters(cluster) == [(b"{", b"projection")]
    assert process.end(signal.SIGTERM) == 0


@asynccontextmanager
async def relay(platform: Platform, cluster: Kafka) -> AsyncIterator[None]:
    settings = {
        "LOMS_OWNER_URL": platform.database.owner_dsn,
        "LOMS_KAFKA_BOOTSTRAP": cluster.bootstrap,
        "LOMS_HEALTH_ADDRESS": f"127.0.0.1:{free_port()}",
    }
    async with command_of_loms("relay", settings):
        yield


async def lives(platform: Platform, seed: int) -> None:
    """Let orders live to their drawn ends."""
    print(f"seed {seed}")
    await platform.eye.execute("update stocks set total = 1000000000")
    drawn = random.Random(seed)
    ends = iter(drawn.choices(list(ENDS), weights=list(ENDS.values()), k=ORDERS))

    async def write() -> None:
        for end in ends:
            await live(platform, end, user_id=drawn.randint(1, 500), sku=drawn.choice(SKUS))

    await asyncio.gather(*(write() for _ in range(WRITERS)))


async def live(platform: Platform, end: str, *, user_id: int, sku: int) -> None:
    order_id = await platform.place((UNKNOWN_SKU if end == "failed" else sku, 1), user_id=user_id)
    if end == "paid":
        await platform.orders.pay(order_id)
    if end == "cancelled":
        await platform.orders.cancel(order_id)


async def unreadable_and_withdrawn(cluster: Kafka) -> None:
    """Leave, between the events, a record nobody can read and one that an operator withdrew."""
    producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap)
    await producer.start()
    await producer.send_and_wait(ORDER_EVENTS, key=b"1", value=b"{")
    await producer.send_and_wait(ORDER_EVENTS, key=b"1", value=None, headers=[("ce_type", b"outbox.void")])
    await producer.stop()


async def seen(process: ProjectionProcess, orders: int) -> bool:
    statuses: dict[str, int] = await process.ask("/statuses") or {}
    return sum(statuses.values()) >= orders


async def as_many_events(process: ProjectionProcess, platform: Platform) -> bool:
    """Whether the relay and the projection have come to the last event."""
    statuses = await platform.eye.fetch("select status, count(*) from orders group by status")
    return bool(await process.ask("/statuses") == {row["status"]: row["count"] for row in statuses})


async def written(platform: Platform) -> dict[int, tuple[Any, ...]]:
    rows = await platform.eye.fetch(
        "select order_id, user_id, status, version, created_at, changed_at from orders order by order_id"
    )
    assert sum(row["version"] for row in rows) > 10_000
    return {row["order_id"]: tuple(row)[1:] for row in rows}


async def shown(process: ProjectionProcess, platform: Platform) -> dict[int, tuple[Any, ...]]:
    """Ask for every order there is, one by one, as a caller would."""
    ids = iter([row["order_id"] for row in await platform.eye.fetch("select order_id from orders order by order_id")])
    found: dict[int, tuple[Any, ...]] = {}

    async def ask(client: httpx.AsyncClient) -> None:
        for order_id in ids:
            body = (await client.get(f"/orders/{order_id}")).json()
            moments = (datetime.fromisoformat(body[name]) for name in ("created_at", "changed_at"))
            found[order_id] = (body["user_id"], body["status"], body["version"], *moments)

    async with httpx.AsyncClient(base_url=process.url, trust_env=False) as client:
        await asyncio.gather(*(ask(client) for _ in range(4)))
    return found


async def dead_letters(cluster: Kafka) -> list[tuple[bytes, bytes]]:
    at = TopicPartition(f"{ORDER_EVENTS}.dead", 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=cluster.bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([at])
        await consumer.seek_to_beginning(at)
        records = (await consumer.getmany(timeout_ms=5_000))[at]
        return [(record.value, dict(record.headers)["origin_consumer"]) for record in records]
    finally:
        await consumer.stop()
