"""A replica is frozen in the middle of a cancellation: the worst moment, with an order and its stock row locked."""

import signal

import pytest

from services.loms.domain.ids import OrderId
from tests.expirers import ended, expiring_process
from tests.loms_fixtures import Platform
from tests.waiting import eventually

SKU = 1625903  # 10,000 pieces, none reserved
FREED_SECONDS_MAX = 60
"""The database ends a frozen replica's transaction after ten seconds; then it is a matter of repeats."""

IN_THE_MIDDLE = """
select count(*) > 0 from pg_stat_activity
where datname = $1 and application_name = 'loms-api frozen' and wait_event_type = 'Lock'
"""

pytestmark = pytest.mark.faults


async def test_a_frozen_replica_stops_no_other_for_long_and_does_no_harm_when_it_wakes(platform: Platform) -> None:
    before = [await platform.place((SKU, 1)) for _ in range(20)]

    stock_held = platform.eye.transaction()
    await stock_held.start()
    await platform.eye.execute("select from stocks where sku = $1 for update", SKU)

    async with expiring_process(platform.database, LOMS_INSTANCE="frozen") as (frozen, _):
        await eventually(lambda: _in_the_middle(platform), within=30)
        frozen.send_signal(signal.SIGSTOP)
        await stock_held.rollback()
        async with expiring_process(platform.database, LOMS_INSTANCE="other") as (other, _):
            await eventually(lambda: _cancelled(platform, before), within=FREED_SECONDS_MAX)
            assert await ended(other) == 0
        frozen.send_signal(signal.SIGCONT)
        after = [await platform.place((SKU, 1)) for _ in range(20)]
        await eventually(lambda: _cancelled(platform, after), within=30)
        assert await ended(frozen) == 0

    assert {tuple(await platform.published(order)) for order in before + after} == {
        ("new", "awaiting payment", "cancelled")
    }
    assert await platform.stock(SKU) == (10_000, 0)


async def _in_the_middle(platform: Platform) -> bool:
    async with platform.pool.acquire() as connection:
        return bool(await connection.fetchval(IN_THE_MIDDLE, platform.database.name))


async def _cancelled(platform: Platform, orders: list[OrderId]) -> bool:
    return {await platform.status(order) for order in orders} == {"cancelled"}
