"""Every write path of LOMS when the connection breaks at COMMIT: the outcome is unknown, and a repeat settles it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from services.loms.domain.ids import Sku, UserId
from services.loms.service.attempts import Attempt
from services.loms.service.orders import OrderService
from tests.commit_cut import CommitCut, Where, commit_cut
from tests.loms_fixtures import Platform, items, unit_of_work_over

SKU = Sku(1148162)  # 300 pieces, none reserved
USER = UserId(7)
ATTEMPT = Attempt("user", USER, "once", b"the body")

LOST = (asyncpg.ConnectionDoesNotExistError, ConnectionError)


@asynccontextmanager
async def _orders_through_a_cut(platform: Platform) -> AsyncIterator[tuple[OrderService, CommitCut]]:
    async with commit_cut(platform.database.app_dsn) as (cut, dsn), platform.pool_of(dsn) as pool:
        yield OrderService(unit_of_work=unit_of_work_over(pool, platform.wakes)), cut


@pytest.mark.parametrize(("where", "committed"), [("before", 0), ("after", 1)])
async def test_a_create_whose_commit_was_lost_is_found_by_its_key(
    platform: Platform, where: Where, committed: int
) -> None:
    async with _orders_through_a_cut(platform) as (orders, cut):
        cut.arm(where)
        with pytest.raises(LOST):
            await orders.create(USER, items((SKU, 2)), ATTEMPT)
        assert (cut.cuts, await platform.count("orders")) == (1, committed)

        answer = await orders.create(USER, items((SKU, 2)), ATTEMPT)

    assert answer.replayed is bool(committed)
    assert await platform.count("orders") == 1
    assert await platform.published(answer.order_id) == ["new", "awaiting payment"]
    assert await platform.stock(SKU) == (300, 2)


@pytest.mark.parametrize(("where", "status"), [("before", "awaiting payment"), ("after", "paid")])
async def test_a_pay_whose_commit_was_lost_is_settled_by_paying_again(
    platform: Platform, where: Where, status: str
) -> None:
    order_id = await platform.place((SKU, 2))

    async with _orders_through_a_cut(platform) as (orders, cut):
        cut.arm(where)
        with pytest.raises(LOST):
            await orders.pay(order_id)
        assert (cut.cuts, await platform.status(order_id)) == (1, status)

        await orders.pay(order_id)

    assert await platform.published(order_id) == ["new", "awaiting payment", "paid"]
    assert await platform.stock(SKU) == (298, 0)


@pytest.mark.parametrize(("where", "status"), [("before", "awaiting payment"), ("after", "cancelled")])
async def test_a_cancel_whose_commit_was_lost_is_settled_by_cancelling_again(
    platform: Platform, where: Where, status: str
) -> None:
    order_id = await platform.place((SKU, 2))

    async with _orders_through_a_cut(platform) as (orders, cut):
        cut.arm(where)
        with pytest.raises(LOST):
            await orders.cancel(order_id)
        assert (cut.cuts, await platform.status(order_id)) == (1, status)

        await orders.cancel(order_id)

    assert await platform.published(order_id) == ["new", "awaiting payment", "cancelled"]
    assert await platform.stock(SKU) == (300, 0)
