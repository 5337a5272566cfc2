"""Errors of a real database, and what becomes of the call that met them."""

import asyncio

import asyncpg
import pytest

from services.loms import bootstrap
from services.loms.domain.ids import Sku, UserId
from services.loms.service.orders import OrderService
from services.loms.service.ports import Conflict, DatabaseAway
from stack.ports import free_port
from tests.loms_fixtures import Platform, items, unit_of_work_over, waits_for_a_lock
from tests.waiting import eventually

ONE = Sku(1148162)  # 300 pieces, none reserved


async def test_a_backend_that_is_ended_at_work_costs_the_caller_nothing(platform: Platform) -> None:
    order_id = await platform.place((ONE, 1))
    stranger = platform.eye.transaction()
    await stranger.start()
    await platform.eye.execute("select from stocks where sku = $1 for update", ONE)
    paying = asyncio.create_task(platform.orders.pay(order_id))
    await eventually(lambda: waits_for_a_lock(platform))

    await platform.eye.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and wait_event_type = 'Lock'"
    )
    await stranger.rollback()
    await paying

    assert await platform.published(order_id) == ["new", "awaiting payment", "paid"]
    assert await platform.stock(ONE) == (299, 0)


async def test_a_lock_that_others_keep_too_long_is_tried_again(platform: Platform) -> None:
    role = platform.database.app_role
    await platform.eye.execute(f"alter role {role} in database {platform.database.name} set lock_timeout = '50ms'")
    order_id = await platform.place((ONE, 1))
    async with platform.pool_of(platform.database.app_dsn) as pool:
        orders = OrderService(unit_of_work=unit_of_work_over(pool, platform.wakes))
        stranger = platform.eye.transaction()
        await stranger.start()
        await platform.eye.execute("select from stocks where sku = $1 for update", ONE)

        with pytest.raises(Conflict, match="lock timeout"):
            await orders.pay(order_id)

        await stranger.rollback()
        await orders.pay(order_id)
    assert await platform.stock(ONE) == (299, 0)


async def test_a_database_that_is_away_is_told_from_one_that_refuses(platform: Platform) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    here = platform.database.app_dsn.rpartition("@")[2].partition("/")[0]
    elsewhere = asyncpg.create_pool(platform.database.app_dsn.replace(here, nobody), min_size=0, max_size=1)
    async with elsewhere as pool:
        orders = OrderService(unit_of_work=bootstrap.unit_of_work(pool, platform.wakes))

        with pytest.raises(DatabaseAway):
            await orders.create(UserId(7), items((ONE, 1)))
