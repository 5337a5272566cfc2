"""Every process is killed while orders flow; nothing is lost, nothing applied twice, nobody has to help."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import TYPE_CHECKING

import asyncpg
import pytest

from cli.demo_run import ORDER_EVENTS, link_customers
from cli.loms_http import LomsHttp
from cli.shopping import errands, shop
from tests.platform import Platform, kill_nine, running_platform
from tests.waiting import eventually
from verification.counters import Counters, Flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.shopping import Shopped

pytestmark = [pytest.mark.faults, pytest.mark.timeout(420)]

SEED = 20_261_124
VICTIMS = (
    "loms-api",
    "loms-relay-0",
    "loms-relay-1",
    "notification-consumer",
    "notification-sender",
    "notification-bot",
    "postgres",
    "kafka",
)
CUSTOMERS = 20
ORDERS_PER_DEATH = 60
ORDERS_PER_SECOND = 15.0
CONVERGE_SECONDS_MAX = 60.0


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("resilience")) as running:
        yield running


async def test_orders_survive_the_death_of_every_process(platform: Platform) -> None:
    chance = Random(SEED)
    deaths = chance.sample(VICTIMS, len(VICTIMS))
    print(f"seed {SEED}: {' '.join(deaths)}")
    await link_customers(platform.stack, CUSTOMERS)

    for victim in deaths:
        counters, shopped = await _dies_while_orders_flow(platform, victim, seed=chance.randrange(2**32))
        print(f"{victim}: {counters}")
        assert counters.equal, victim
        assert len({each.order_id for each in shopped}) == ORDERS_PER_DEATH, victim
        assert platform.restarts(victim) == 1, victim

    assert await _changes_by_order(platform) == await _effects_by_order(platform)
    await asyncio.to_thread(platform.onelane, "verify", "--since", "all")
    listed = json.loads(await asyncio.to_thread(platform.onelane, "notify", "uncertain", "--output", "json"))
    assert len(listed) == await _uncertain(platform)


async def _dies_while_orders_flow(platform: Platform, victim: str, *, seed: int) -> tuple[Counters, list[Shopped]]:
    flow = _flow(platform)
    await flow.start()
    try:
        plan = errands(count=ORDERS_PER_DEATH, customers=CUSTOMERS, seed=seed)
        walked: list[Shopped] = []
        async with LomsHttp(base_url=platform.stack.loms_http_url) as loms:
            shopping = asyncio.create_task(shop(loms, plan, per_second=ORDERS_PER_SECOND, walked=walked.append))
            await eventually(lambda: len(walked) >= ORDERS_PER_DEATH // 4)
            kill_nine(platform.process(victim))
            shopped = await shopping
        await eventually(lambda: platform.ready(victim), within=CONVERGE_SECONDS_MAX)
        return await _converged(flow), shopped
    finally:
        await flow.stop()


async def _converged(flow: Flow) -> Counters:
    async def equal() -> Counters:
        counters = await flow.read()
        assert counters.equal, counters
        return counters

    return await eventually(equal, within=CONVERGE_SECONDS_MAX, every=0.2)


def _flow(platform: Platform) -> Flow:
    stack = platform.stack
    return Flow(
        loms_dsn=stack.loms_reader_dsn,
        notification_dsn=stack.notification_reader_dsn,
        bootstrap_servers=stack.kafka_bootstrap,
        topic=ORDER_EVENTS,
    )


async def _changes_by_order(platform: Platform) -> list[tuple[int, int]]:
    return await _rows(platform.stack.loms_reader_dsn, "select order_id, version from orders order by order_id")


async def _effects_by_order(platform: Platform) -> list[tuple[int, int]]:
    """Rows of the ledger per order: as many as the last version when each was applied exactly once."""
    dsn = platform.stack.notification_reader_dsn
    return await _rows(dsn, "select order_id, count(*) from notifications group by order_id order by order_id")


async def _uncertain(platform: Platform) -> int:
    dsn = platform.stack.notification_reader_dsn
    [(_, count)] = await _rows(dsn, "select 0, count(*) from notifications where state = 'uncertain'")
    return count


async def _rows(dsn: str, statement: str) -> list[tuple[int, int]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [(row[0], row[1]) for row in await connection.fetch(statement)]
    finally:
        await connection.close()
