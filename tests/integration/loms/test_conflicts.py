import asyncio

import pytest

from services.loms.domain.ids import Sku
from services.loms.service.ports import Conflict
from tests.loms_fixtures import Platform, waits_for_a_lock
from tests.waiting import eventually

ONE = Sku(1148162)  # 300 pieces, none reserved
OTHER = Sku(2618151)  # 300 pieces, none reserved


async def test_the_victim_of_a_deadlock_is_tried_again_and_succeeds(platform: Platform) -> None:
    """A stranger locks stock in the wrong order: Postgres ends whoever looks first, which is our transaction."""
    order_id = await platform.place((ONE, 1), (OTHER, 1))
    await platform.eye.execute("set deadlock_timeout = '1min'")  # the stranger never gives way
    stranger = platform.eye.transaction()
    await stranger.start()
    await platform.eye.execute("update stocks set total = total where sku = $1", OTHER)

    paying = asyncio.create_task(platform.orders.pay(order_id))
    await eventually(lambda: waits_for_a_lock(platform))
    await platform.eye.execute("update stocks set total = total where sku = $1", ONE)
    await stranger.commit()
    await paying

    assert await platform.stock(ONE) == (299, 0)
    assert await platform.published(order_id) == ["new", "awaiting payment", "paid"]


async def test_a_move_from_a_version_that_is_gone_is_a_conflict_and_writes_nothing(platform: Platform) -> None:
    order_id = await platform.place((ONE, 1))

    async with platform.unit_of_work.statements() as tx:
        order = await tx.orders.read(order_id)
        change = order.pay(at=order.locked_at)
        assert change is not None
        await platform.orders.cancel(order_id)
        with pytest.raises(Conflict):
            await tx.orders.sell(order, change)

    assert await platform.published(order_id) == ["new", "awaiting payment", "cancelled"]
    assert await platform.stock(ONE) == (300, 0)


async def test_stock_rows_that_vanished_under_an_order_fail_its_payment_loudly(platform: Platform) -> None:
    order_id = await platform.place((ONE, 1))
    await platform.eye.execute("delete from stocks where sku = $1", ONE)

    with pytest.raises(Exception, match=f"order {order_id} holds pieces of a sku that has no stock row"):
        await platform.orders.pay(order_id)

    assert await platform.status(order_id) == "awaiting payment"


async def test_reserving_locks_rows_in_sku_order_whatever_the_order_of_the_lines(platform: Platform) -> None:
    """With the lower sku held by another, nobody may already hold the higher one."""
    holder = platform.eye.transaction()
    await holder.start()
    await platform.eye.execute("select from stocks where sku = $1 for update", ONE)

    placing = asyncio.create_task(platform.place((OTHER, 1), (ONE, 1)))
    await eventually(lambda: waits_for_a_lock(platform))
    locked = await platform.eye.fetchval("select sku from stocks where sku = $1 for update nowait", OTHER)
    await holder.commit()

    assert locked == OTHER
    assert await platform.status(await placing) == "awaiting payment"
