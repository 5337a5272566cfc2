"""The expirer inside the api process: switched on by default, off where a setting says so."""

import httpx

from tests.expirers import ended, expiring_process
from tests.loms_fixtures import Platform
from tests.waiting import eventually

IN_STOCK = 1148162  # 300 pieces, none reserved


async def test_the_api_process_cancels_what_stays_unpaid_and_counts_it(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 3))

    async with expiring_process(platform.database) as (process, health):
        await eventually(lambda: _cancelled(platform, order_id))
        shown = await _metrics(health)
        exit_code = await ended(process)

    assert "loms_expired_orders_total 1.0" in shown
    assert await platform.published(order_id) == ["new", "awaiting payment", "cancelled"]
    assert exit_code == 0


async def test_a_replica_whose_expirer_is_switched_off_cancels_nothing(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 3))

    async with (
        expiring_process(platform.database, LOMS_EXPIRER="0") as (_, idle),
        expiring_process(platform.database),
    ):
        await eventually(lambda: _cancelled(platform, order_id))
        shown = await _metrics(idle)

    assert "loms_expired_orders_total" not in shown


async def _cancelled(platform: Platform, order_id: int) -> bool:
    return await platform.status(order_id) == "cancelled"


async def _metrics(health: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"http://{health}/metrics")).text
