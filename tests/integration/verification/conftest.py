import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.given import SharedKafka, SharedPostgres
from tests.integration.verification.world import PARTITIONS, World, a_producer
from tests.loms_fixtures import LomsDatabase, loms_database, loms_template, platform
from tests.notification_fixtures import notification_template
from tests.stand_in import StandIn
from verification.reconcile import Places

__all__ = ["loms_database", "loms_template", "notification_template", "platform"]


@dataclass(frozen=True, slots=True)
class Stage:
    """What the tests of one module play on; each test's window begins with the test."""

    orders_dsn: str
    ledger_dsn: str
    places: Places


@pytest.fixture(scope="module")
def stage(
    postgres: SharedPostgres,
    kafka: SharedKafka,
    loms_template: LomsDatabase,
    notification_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    suffix = secrets.token_hex(4)
    copies = {f"{template}_{suffix}": template for template in (loms_template.name, notification_template)}
    topic = f"order-events-{suffix}"
    asyncio.run(_make(postgres, kafka, copies, topic))
    orders, ledger = (urlunsplit(urlsplit(postgres.admin_dsn)._replace(path=f"/{name}")) for name in copies)
    stand_in = StandIn(tmp_path_factory.mktemp("telegram"))
    places = Places(
        orders_dsn=as_verifier(orders),
        notification_dsn=as_verifier(ledger),
        bootstrap_servers=kafka.bootstrap,
        telegram_url=stand_in.url,
        topic=topic,
        group=f"notification-{suffix}",
    )
    try:
        stand_in.start()
        yield Stage(orders_dsn=orders, ledger_dsn=ledger, places=places)
    finally:
        stand_in.kill()
        asyncio.run(_remove(postgres, kafka, list(copies), topic))


@pytest.fixture
async def world(stage: Stage) -> AsyncIterator[World]:
    """A platform to be played by hand, and the checker, which reads it with the rights of the verifier."""
    orders = await asyncpg.connect(stage.orders_dsn)
    ledger = await asyncpg.connect(stage.ledger_dsn)
    await ledger.execute("delete from inbox_partition")
    await ledger.execute("delete from inbox_audit")
    producer = a_producer(stage.places.bootstrap_servers)
    await producer.start()
    since = await orders.fetchval("select clock_timestamp()")
    world = World(orders=orders, ledger=ledger, producer=producer, places=stage.places, since=since)
    try:
        yield world
    finally:
        await world.close()
        await ledger.close()
        await orders.close()


def as_verifier(admin_dsn: str) -> str:
    """The same database with no more rights than the verifier has."""
    return f"{admin_dsn}?options=-crole%3Dverifier"


async def _make(postgres: SharedPostgres, kafka: SharedKafka, copies: dict[str, str], topic: str) -> None:
    admin = await asyncpg.connect(postgres.admin_dsn)
    for copy, template in copies.items():
        await admin.execute(f'create database "{copy}" template "{template}"')
    await admin.close()
    brokers = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await brokers.start()
    await brokers.create_topics([NewTopic(topic, PARTITIONS, 1)])
    await brokers.close()


async def _remove(postgres: SharedPostgres, kafka: SharedKafka, copies: list[str], topic: str) -> None:
    admin = await asyncpg.connect(postgres.admin_dsn)
    for copy in copies:
        await admin.execute(f'drop database "{copy}" with (force)')
    await admin.close()
    brokers = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await brokers.start()
    await brokers.delete_topics([topic])
    await brokers.close()
