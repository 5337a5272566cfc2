"""LOMS with a pgbouncer before its database: the api lives behind it, what needs the server itself refuses it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import grpc
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from events.create import create_topics
from rpc.loms.v1 import loms_pb2 as pb
from rpc.loms.v1.loms_pb2_grpc import LomsServiceStub
from stack.ports import free_port
from tests.given import SharedKafka
from tests.loms_fixtures import LomsDatabase
from tests.loms_processes import command_of_loms, readiness
from tests.poolers import Pooler, pooler_before
from tests.waiting import eventually

EVENTS = 3  # new, awaiting payment, paid


@pytest.fixture
def pooler(loms_database: LomsDatabase) -> Iterator[Pooler]:
    with pooler_before(loms_database.app_dsn, loms_database.owner_dsn, pool_size=2) as running:
        yield running


async def test_an_order_placed_through_the_pooler_wakes_the_relay(
    loms_database: LomsDatabase, kafka: SharedKafka, pooler: Pooler
) -> None:
    await create_topics(kafka.bootstrap, replication=1)
    settings = _direct_settings(loms_database, kafka.bootstrap)
    api = settings | {"LOMS_DATABASE_URL": pooler.through(loms_database.app_dsn)}
    relay = settings | {"LOMS_HEALTH_ADDRESS": f"127.0.0.1:{free_port()}"}

    async with command_of_loms("relay", relay), command_of_loms("api", api), _ear(loms_database) as heard:
        await eventually(lambda: readiness(api["LOMS_HEALTH_ADDRESS"]))
        async with grpc.aio.insecure_channel(api["LOMS_GRPC_ADDRESS"]) as channel:
            stub = LomsServiceStub(channel)
            request = pb.OrderCreateRequest(user_id=7, items=[pb.Item(sku=1002, count=1)])
            order_id = (await stub.OrderCreate(request)).order_id
            await stub.OrderPay(pb.OrderPayRequest(order_id=order_id))
            order = await stub.OrderInfo(pb.OrderInfoRequest(order_id=order_id))

        assert await eventually(lambda: _published(relay["LOMS_HEALTH_ADDRESS"])) == EVENTS
        await eventually(lambda: heard)

    assert order.status == "paid"


@pytest.mark.parametrize(
    ("command", "pooled", "reason"),
    [
        ("api", "LOMS_DIRECT_URL", "the wake has settings of a session"),
        ("relay", "LOMS_OWNER_URL", "the relay listens in a session of its own"),
        ("migrate", "LOMS_OWNER_URL", "migrations hold a session's locks"),
        ("seed", "LOMS_OWNER_URL", "migrations hold a session's locks"),
    ],
)
async def test_what_needs_the_server_itself_refuses_the_pooler_with_78(
    loms_database: LomsDatabase, pooler: Pooler, command: str, pooled: str, reason: str
) -> None:
    direct = _direct_settings(loms_database, f"127.0.0.1:{free_port()}")
    address = pooler.through(direct[pooled])

    async with command_of_loms(command, direct | {pooled: address}) as process:
        said, _ = await process.communicate()

    assert process.returncode == 78
    told = f"{pooled} leads to a connection pooler at 127.0.0.1:{pooler.server.port}, and {reason}: set {pooled} to"
    assert told in said.decode()
    assert address not in said.decode()


def _direct_settings(database: LomsDatabase, bootstrap: str) -> dict[str, str]:
    return {
        "LOMS_DATABASE_URL": database.app_dsn,
        "LOMS_DIRECT_URL": database.app_dsn,
        "LOMS_OWNER_URL": database.owner_dsn,
        "LOMS_KAFKA_BOOTSTRAP": bootstrap,
        "LOMS_GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
        "LOMS_HEALTH_ADDRESS": f"127.0.0.1:{free_port()}",
    }


@asynccontextmanager
async def _ear(database: LomsDatabase) -> AsyncIterator[list[str]]:
    """What is said on the channel the relay listens to."""
    heard: list[str] = []
    listener = await asyncpg.connect(database.owner_dsn)
    try:
        await listener.add_listener("outbox", lambda *said: heard.append(str(said)))
        yield heard
    finally:
        await listener.close()


async def _published(health: str) -> float:
    """How many rows a relay has seen acknowledged, once it has seen any."""
    async with httpx.AsyncClient() as client:
        try:
            told = (await client.get(f"http://{health}/metrics")).text
        except httpx.TransportError:
            return 0.0
    samples = [s for family in text_string_to_metric_families(told) for s in family.samples]
    found = sum(sample.value for sample in samples if sample.name == "outbox_published_total")
    return found if found >= EVENTS else 0.0
