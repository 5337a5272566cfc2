import asyncio
from collections import Counter

import pytest

from tests.loms_server import Caller, Served

pytestmark = pytest.mark.asyncio(loop_scope="session")

ONE, OTHER = 30816475, 135937324  # 300 pieces each, of the second 30 reserved


async def test_two_hundred_creates_at_once_with_skus_in_opposite_order_know_no_internal_error(
    served: Served, http_caller: Caller
) -> None:
    lines = [{"sku": ONE, "count": 1}, {"sku": OTHER, "count": 1}]

    answers = await asyncio.gather(
        *(
            http_caller.call("OrderCreate", {"userId": user, "items": lines if user % 2 else lines[::-1]})
            for user in range(1, 201)
        )
    )

    assert Counter(answer.code for answer in answers) == {"OK": 200}
    assert await served.eye.fetchval("select reserved from stocks where sku = $1", ONE) == 200
    assert await served.eye.fetchval("select reserved from stocks where sku = $1", OTHER) == 230


async def test_orders_beyond_the_stock_fail_and_the_rest_succeed(served: Served, grpc_caller: Caller) -> None:
    sku = 135717466  # 100 pieces, 20 reserved

    answers = await asyncio.gather(
        *(
            grpc_caller.call("OrderCreate", {"userId": user, "items": [{"sku": sku, "count": 3}]})
            for user in range(1, 61)
        )
    )

    assert Counter(answer.code for answer in answers) == {"OK": 26, "FAILED_PRECONDITION": 34}
    assert await served.eye.fetchval("select reserved from stocks where sku = $1", sku) == 98


async def test_two_hundred_creates_at_once_share_two_connections_of_a_pooler(
    served: Served, pooled_caller: Caller
) -> None:
    sku = 2618151  # 300 pieces, none reserved
    items = [{"sku": sku, "count": 1}]

    answers = await asyncio.gather(
        *(pooled_caller.call("OrderCreate", {"userId": user, "items": items}) for user in range(1, 201))
    )

    assert Counter(answer.code for answer in answers) == {"OK": 200}
    assert await served.eye.fetchval("select reserved from stocks where sku = $1", sku) == 200


async def test_a_hundred_creates_of_one_piece_take_exactly_a_hundred(http_caller: Caller) -> None:
    sku = 1625903  # 10,000 pieces, none reserved
    before = (await http_caller.call("StocksInfo", {"sku": sku})).body["count"]

    answers = await asyncio.gather(
        *(
            http_caller.call("OrderCreate", {"userId": user, "items": [{"sku": sku, "count": 1}]})
            for user in range(1, 101)
        )
    )

    assert Counter(answer.code for answer in answers) == {"OK": 100}
    assert (await http_caller.call("StocksInfo", {"sku": sku})).body["count"] == before - 100


async def test_of_more_buyers_than_pieces_exactly_as_many_succeed_as_there_are_pieces(
    served: Served, http_caller: Caller
) -> None:
    sku, pieces, buyers = 773297411, 140, 160  # 150 pieces, 10 reserved

    answers = await asyncio.gather(
        *(
            http_caller.call("OrderCreate", {"userId": user, "items": [{"sku": sku, "count": 1}]})
            for user in range(1, buyers + 1)
        )
    )

    assert Counter(answer.code for answer in answers) == {"OK": pieces, "FAILED_PRECONDITION": buyers - pieces}
    assert {answer.reason for answer in answers if answer.code != "OK"} == {"OUT_OF_STOCK"}
    assert (await http_caller.call("StocksInfo", {"sku": sku})).body == {"count": 0}
    assert await served.eye.fetchval("select reserved from stocks where sku = $1", sku) == 150


async def test_ten_pays_at_once_are_all_ok_and_sell_once(served: Served, http_caller: Caller) -> None:
    sku = 4465995  # 300 pieces, none reserved
    created = await http_caller.call("OrderCreate", {"userId": 7, "items": [{"sku": sku, "count": 3}]})
    order = {"orderId": created.body["orderId"]}

    answers = await asyncio.gather(*(http_caller.call("OrderPay", order) for _ in range(10)))

    assert Counter(answer.code for answer in answers) == {"OK": 10}
    row = await served.eye.fetchrow("select total, reserved from stocks where sku = $1", sku)
    assert row is not None
    assert tuple(row) == (297, 0)
