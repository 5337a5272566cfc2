import asyncio

import pytest

from services.loms.domain.errors import CountTooLarge
from services.loms.domain.ids import Sku, UserId
from tests.loms_fixtures import Platform, items

IN_STOCK = Sku(1148162)  # 300 pieces, none reserved
ALSO_IN_STOCK = Sku(2618151)  # 300 pieces, none reserved
BAD_ROW = Sku(139818428)  # 100 pieces, 101 reserved
UNKNOWN = Sku(999)


async def test_an_order_that_stock_can_fill_awaits_payment(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 3), (ALSO_IN_STOCK, 2))

    order = await platform.orders.info(order_id)
    assert (order.status, order.version, order.user_id) == ("awaiting payment", 2, 7)
    assert [(item.sku, item.count) for item in order.items] == [(IN_STOCK, 3), (ALSO_IN_STOCK, 2)]
    assert await platform.stock(IN_STOCK) == (300, 3)
    assert await platform.stock(ALSO_IN_STOCK) == (300, 2)


async def test_an_order_publishes_new_before_it_awaits_payment(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 1))

    assert await platform.published(order_id) == ["new", "awaiting payment"]
    assert await platform.versions(order_id) == [1, 2]


async def test_a_failed_order_stays_with_both_its_events_and_changes_no_stock(platform: Platform) -> None:
    answer = await platform.orders.create(UserId(7), items((IN_STOCK, 1), (ALSO_IN_STOCK, 301)))

    assert answer.short == (ALSO_IN_STOCK,)
    assert await platform.status(answer.order_id) == "failed"
    assert await platform.published(answer.order_id) == ["new", "failed"]
    assert await platform.versions(answer.order_id) == [1, 2]
    assert await platform.stock(IN_STOCK) == (300, 0)
    assert await platform.stock(ALSO_IN_STOCK) == (300, 0)


async def test_a_sku_without_a_stock_row_fails_the_order(platform: Platform) -> None:
    answer = await platform.orders.create(UserId(7), items((IN_STOCK, 1), (UNKNOWN, 1)))

    assert answer.short == (UNKNOWN,)
    assert await platform.published(answer.order_id) == ["new", "failed"]
    assert await platform.stock(IN_STOCK) == (300, 0)


async def test_every_short_sku_is_named_in_order(platform: Platform) -> None:
    answer = await platform.orders.create(UserId(7), items((ALSO_IN_STOCK, 301), (BAD_ROW, 1), (IN_STOCK, 301)))

    assert answer.short == (IN_STOCK, ALSO_IN_STOCK, BAD_ROW)


async def test_exactly_what_is_available_can_be_ordered(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 300))

    assert await platform.status(order_id) == "awaiting payment"
    assert await platform.stocks.available(IN_STOCK) == 0


async def test_duplicate_lines_are_summed_before_stock_is_asked(platform: Platform) -> None:
    answer = await platform.orders.create(UserId(7), items((IN_STOCK, 200), (IN_STOCK, 200)))

    order = await platform.orders.info(answer.order_id)
    assert order.status == "failed"
    assert [(item.sku, item.count) for item in order.items] == [(IN_STOCK, 400)]


async def test_a_sum_beyond_a_count_leaves_no_trace(platform: Platform) -> None:
    with pytest.raises(CountTooLarge):
        await platform.orders.create(UserId(7), items((IN_STOCK, 2**32 - 1), (IN_STOCK, 1)))

    assert await platform.count("orders") == 0
    assert await platform.count("outbox") == 0


async def test_the_row_with_more_reserved_than_there_is_loads_and_offers_nothing(platform: Platform) -> None:
    answer = await platform.orders.create(UserId(7), items((BAD_ROW, 1)))

    assert await platform.stock(BAD_ROW) == (100, 101)
    assert await platform.stocks.available(BAD_ROW) == 0
    assert answer.short == (BAD_ROW,)


async def test_parallel_orders_never_take_the_same_piece(platform: Platform) -> None:
    answers = await asyncio.gather(
        *(platform.orders.create(UserId(user), items((IN_STOCK, 7))) for user in range(1, 61))
    )

    placed = [answer for answer in answers if not answer.short]
    assert len(placed) == 42  # 42 * 7 = 294 of 300 pieces
    assert await platform.stock(IN_STOCK) == (300, 294)


async def test_orders_that_name_the_same_skus_in_opposite_order_all_succeed(platform: Platform) -> None:
    one_way, other_way = items((IN_STOCK, 1), (ALSO_IN_STOCK, 1)), items((ALSO_IN_STOCK, 1), (IN_STOCK, 1))

    answers = await asyncio.gather(
        *(platform.orders.create(UserId(user), one_way if user % 2 else other_way) for user in range(1, 201))
    )

    assert [answer.short for answer in answers] == [()] * 200
    assert await platform.stock(IN_STOCK) == (300, 200)
    assert await platform.stock(ALSO_IN_STOCK) == (300, 200)


async def test_moments_of_an_order_never_go_back(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 1))
    await platform.orders.pay(order_id)

    rows = await platform.eye.fetch("select occurred_at from outbox where key = $1 order by seq", str(order_id))
    moments = [row["occurred_at"] for row in rows]
    assert moments == sorted(moments)
    assert len(set(moments)) == 3


async def test_the_relay_is_woken_once_for_each_transaction_with_events(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 1))
    await platform.orders.pay(order_id)
    await platform.orders.pay(order_id)

    assert platform.wakes.count == 2
