"""Pages of orders over a real database: what they cost, and how they stand while orders come and go."""

import asyncio

import pytest

from services.loms.domain.ids import OrderId, UserId
from services.loms.domain.order import Status
from services.loms.repository.listing import OrderPages
from services.loms.repository.statements import statement
from services.loms.service.listing import Filter, ListingService
from tests.loms_fixtures import Platform

PLENTY = 1625903  # 10,000 pieces, none reserved

MANY_ORDERS = """
insert into orders (user_id, status, version, created_at, changed_at)
select number % 1000 + 1, (array['paid', 'failed', 'cancelled'])[number % 3 + 1], 3, now(), now()
from generate_series(1, 30_000) as number
"""


@pytest.fixture
def listing(platform: Platform) -> ListingService:
    return ListingService(pages=OrderPages(pool=platform.pool))


@pytest.mark.parametrize(
    ("name", "filters", "given", "index"),
    [
        ("list_orders", "", "", "orders_pkey"),
        ("list_orders_of_user", ", bigint", ", 7", "orders_of_user"),
        ("list_orders_in_status", ", text", ", 'new'", "orders_in_status"),
        ("list_orders_of_user_in_status", ", bigint, text", ", 7, 'paid'", "orders_of_user"),
    ],
)
async def test_a_page_is_read_from_an_index_however_deep_it_lies(
    platform: Platform, name: str, filters: str, given: str, index: str
) -> None:
    await platform.eye.execute(MANY_ORDERS)
    await platform.eye.execute("insert into order_items select order_id, $1, 1 from orders", PLENTY)
    await platform.eye.execute("vacuum analyze orders, order_items")
    await platform.eye.execute(f"prepare page (bigint, bigint{filters}) as {statement(name)}")

    plan = await platform.eye.fetchval(f"explain (format json) execute page (15000, 51{given})")

    assert index in plan
    assert "Seq Scan" not in plan


async def test_no_order_comes_twice_and_none_is_left_out_while_customers_go_on(
    platform: Platform, listing: ListingService
) -> None:
    mine = [await platform.place((PLENTY, 1), user_id=42) for _ in range(60)]
    seen: list[OrderId] = []

    async def read_all() -> None:
        below = None
        while True:
            page = await listing.page(Filter(user_id=UserId(42)), below=below, size=7)
            seen.extend(order.id for order in page.orders)
            below = page.next_below
            if below is None:
                return

    async def go_on() -> None:
        for order in mine:
            await platform.orders.pay(order)
            await platform.place((PLENTY, 1), user_id=42)

    await asyncio.gather(read_all(), go_on())

    assert [order for order in seen if order in set(mine)] == mine[::-1]
    assert len(seen) == len(set(seen))


async def test_a_status_shown_is_the_one_that_was_asked_for(platform: Platform, listing: ListingService) -> None:
    orders = [await platform.place((PLENTY, 1)) for _ in range(40)]

    async def pages() -> set[str]:
        shown: set[str] = set()
        while await platform.eye.fetchval("select count(*) from orders where status <> 'paid'"):
            page = await listing.page(Filter(status=Status.AWAITING_PAYMENT), below=None, size=1_000)
            shown |= {order.status for order in page.orders}
        return shown

    shown, *_ = await asyncio.gather(pages(), *(platform.orders.pay(order) for order in orders))

    assert shown <= {Status.AWAITING_PAYMENT}
