import asyncio

import asyncpg
import pytest

from services.loms.domain.errors import IllegalTransition, OrderNotFound
from services.loms.domain.ids import OrderId, Sku
from services.loms.service.attempts import Answer
from tests.loms_fixtures import Platform

IN_STOCK = Sku(1148162)  # 300 pieces, none reserved
ALSO_IN_STOCK = Sku(2618151)  # 300 pieces, none reserved


async def test_paying_takes_the_pieces_out_of_the_stock(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 3), (ALSO_IN_STOCK, 2))

    await platform.orders.pay(order_id)

    assert await platform.status(order_id) == "paid"
    assert await platform.stock(IN_STOCK) == (297, 0)
    assert await platform.stock(ALSO_IN_STOCK) == (298, 0)
    assert await platform.published(order_id) == ["new", "awaiting payment", "paid"]
    assert await platform.versions(order_id) == [1, 2, 3]


async def test_cancelling_gives_the_pieces_back(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 3), (ALSO_IN_STOCK, 2))

    await platform.orders.cancel(order_id)

    assert await platform.status(order_id) == "cancelled"
    assert await platform.stock(IN_STOCK) == (300, 0)
    assert await platform.stock(ALSO_IN_STOCK) == (300, 0)
    assert await platform.published(order_id) == ["new", "awaiting payment", "cancelled"]


async def test_cancelling_twice_returns_stock_once(platform: Platform) -> None:
    kept = await platform.place((IN_STOCK, 5))
    order_id = await platform.place((IN_STOCK, 3))

    await platform.orders.cancel(order_id)
    await platform.orders.cancel(order_id)

    assert await platform.status(kept) == "awaiting payment"
    assert await platform.stock(IN_STOCK) == (300, 5)
    assert await platform.published(order_id) == ["new", "awaiting payment", "cancelled"]


async def test_ten_parallel_pays_all_succeed_and_sell_once(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 3))

    await asyncio.gather(*(platform.orders.pay(order_id) for _ in range(10)))

    assert await platform.stock(IN_STOCK) == (297, 0)
    assert await platform.published(order_id) == ["new", "awaiting payment", "paid"]


async def test_of_pay_and_cancel_at_once_exactly_one_wins(platform: Platform) -> None:
    paid = 0
    for _ in range(100):
        order_id = await platform.place((IN_STOCK, 1))

        outcomes = await asyncio.gather(
            platform.orders.pay(order_id), platform.orders.cancel(order_id), return_exceptions=True
        )

        status = await platform.status(order_id)
        refused = [outcome for outcome in outcomes if not isinstance(outcome, Answer)]
        assert [type(outcome) for outcome in refused] == [IllegalTransition]
        assert await platform.published(order_id) == ["new", "awaiting payment", status]
        paid += status == "paid"
    assert await platform.stock(IN_STOCK) == (300 - paid, 0)


@pytest.mark.parametrize("status", ["new", "failed", "cancelled"])
async def test_only_an_order_that_awaits_payment_can_be_paid(platform: Platform, status: str) -> None:
    order_id = await _order_in(platform, status)

    with pytest.raises(IllegalTransition):
        await platform.orders.pay(order_id)

    assert await platform.status(order_id) == status
    assert await platform.stock(IN_STOCK) == (300, 1)


@pytest.mark.parametrize("status", ["new", "failed", "paid"])
async def test_only_an_order_that_awaits_payment_can_be_cancelled(platform: Platform, status: str) -> None:
    order_id = await _order_in(platform, status)

    with pytest.raises(IllegalTransition):
        await platform.orders.cancel(order_id)

    assert await platform.status(order_id) == status
    assert await platform.stock(IN_STOCK) == (300, 1)


async def test_an_unknown_order_is_refused_by_name(platform: Platform) -> None:
    for call in (platform.orders.info, platform.orders.pay, platform.orders.cancel):
        with pytest.raises(OrderNotFound):
            await call(OrderId(2**63 - 1))


async def test_orders_that_share_skus_are_paid_and_cancelled_in_parallel(platform: Platform) -> None:
    orders = [await platform.place((ALSO_IN_STOCK, 1), (IN_STOCK, 1)) for _ in range(40)]

    await asyncio.gather(
        *(platform.orders.pay(order) if order % 2 else platform.orders.cancel(order) for order in orders)
    )

    sold = sum(1 for order in orders if order % 2)
    assert await platform.stock(IN_STOCK) == (300 - sold, 0)
    assert await platform.stock(ALSO_IN_STOCK) == (300 - sold, 0)


async def test_the_event_and_the_order_stand_or_fall_together(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 1))
    await platform.eye.execute(
        f"revoke insert on outbox from {platform.database.app_role}"  # the append is the last statement and must fail
    )

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await platform.orders.pay(order_id)

    assert await platform.status(order_id) == "awaiting payment"
    assert await platform.stock(IN_STOCK) == (300, 1)
    assert await platform.published(order_id) == ["new", "awaiting payment"]


async def _order_in(platform: Platform, status: str) -> OrderId:
    """An order of one piece, put into its status by hand, so that its piece stays reserved."""
    order_id = await platform.place((IN_STOCK, 1))
    await platform.eye.execute("update orders set status = $2 where order_id = $1", order_id, status)
    return order_id
