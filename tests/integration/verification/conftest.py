from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from tests.given import MakeTopic, SharedKafka
from tests.integration.verification.world import PARTITIONS, World
from tests.loms_fixtures import LomsDatabase, loms_database, loms_template
from tests.notification_fixtures import NotificationDatabase, notification_database, notification_template
from tests.stand_in import StandIn
from verification.reconcile import Places

__all__ = ["loms_database", "loms_template", "notification_database", "notification_template"]


@pytest.fixture
async def world(
    loms_database: LomsDatabase,
    notification_database: NotificationDatabase,
    kafka: SharedKafka,
    topic: MakeTopic,
    tmp_path: Path,
) -> AsyncIterator[World]:
    """A platform to be played by hand, and the checker, which reads it with the rights of the verifier."""
    stand_in = StandIn(tmp_path)
    stand_in.start()
    orders = await asyncpg.connect(loms_database.admin_dsn)
    ledger = await asyncpg.connect(notification_database.admin_dsn)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    places = Places(
        orders_dsn=as_verifier(loms_database.admin_dsn),
        notification_dsn=as_verifier(notification_database.admin_dsn),
        bootstrap_servers=kafka.bootstrap,
        telegram_url=stand_in.url,
        topic=await topic("order-events", partitions=PARTITIONS),
    )
    try:
        yield World(orders=orders, ledger=ledger, producer=producer, places=places, stand_in=stand_in)
    finally:
        await producer.stop()
        await ledger.close()
        await orders.close()
        stand_in.kill()


def as_verifier(admin_dsn: str) -> str:
    """The same database with no more rights than the verifier has."""
    return f"{admin_dsn}?options=-crole%3Dverifier"
