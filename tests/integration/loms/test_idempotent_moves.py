"""Pay and cancel with an idempotency key: its scope is the order."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from services.loms.domain.errors import IdempotencyKeyReused, IllegalTransition, RequestInProgress
from services.loms.domain.ids import OrderId, Sku
from services.loms.service.attempts import Answer, Attempt
from services.loms.service.orders import OrderService
from tests.loms_fixtures import Platform, waits_for_a_lock
from tests.waiting import eventually

IN_STOCK = Sku(1148162)  # 300 pieces, none reserved

Move: TypeAlias = Callable[[OrderService, OrderId, Attempt | None], Awaitable[Answer]]

MOVES = pytest.mark.parametrize(
    ("move", "status", "stock"),
    [(OrderService.pay, "paid", (297, 0)), (OrderService.cancel, "cancelled", (300, 0))],
    ids=["pay", "cancel"],
)


def an_attempt(order_id: OrderId, *, key: str = "k-1", body: bytes = b"the body") -> Attempt:
    return Attempt("order", order_id, key, body)


@MOVES
async def test_the_same_key_gets_the_first_answer_again(
    platform: Platform, move: Move, status: str, stock: tuple[int, int]
) -> None:
    order_id = await platform.place((IN_STOCK, 3))

    answers = [await move(platform.orders, order_id, an_attempt(order_id)) for _ in range(3)]

    assert [answer.replayed for answer in answers] == [False, True, True]
    assert await platform.published(order_id) == ["new", "awaiting payment", status]
    assert await platform.stock(IN_STOCK) == stock


@MOVES
async def test_a_call_that_changed_nothing_is_replayed_too(
    platform: Platform, move: Move, status: str, stock: tuple[int, int]
) -> None:
    order_id = await platform.place((IN_STOCK, 3))
    await move(platform.orders, order_id, None)

    answers = [await move(platform.orders, order_id, an_attempt(order_id)) for _ in range(2)]

    assert [answer.replayed for answer in answers] == [False, True]
    assert await platform.status(order_id) == status
    assert await platform.stock(IN_STOCK) == stock


@MOVES
async def test_the_key_with_another_body_is_refused_whatever_the_order_allows(
    platform: Platform, move: Move, status: str, stock: tuple[int, int]
) -> None:
    order_id = await platform.place((IN_STOCK, 3))
    await move(platform.orders, order_id, an_attempt(order_id))

    for other in (OrderService.pay, OrderService.cancel):
        with pytest.raises(IdempotencyKeyReused):
            await other(platform.orders, order_id, an_attempt(order_id, body=b"another body"))

    assert await platform.status(order_id) == status
    assert await platform.stock(IN_STOCK) == stock


async def test_a_key_belongs_to_its_order(platform: Platform) -> None:
    first, second = await platform.place((IN_STOCK, 1)), await platform.place((IN_STOCK, 1))

    answers = [await platform.orders.pay(order_id, an_attempt(order_id)) for order_id in (first, second)]

    assert [answer.replayed for answer in answers] == [False, False]
    assert await platform.stock(IN_STOCK) == (298, 0)


async def test_a_refused_call_leaves_no_trace_and_its_key_free(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 1))
    await platform.orders.cancel(order_id)

    for _ in range(2):
        with pytest.raises(IllegalTransition):
            await platform.orders.pay(order_id, an_attempt(order_id))

    assert await platform.count("idempotency_keys") == 0


@MOVES
async def test_while_the_first_is_running_a_second_is_refused_at_once(
    platform: Platform, move: Move, status: str, stock: tuple[int, int]
) -> None:
    order_id = await platform.place((IN_STOCK, 3))
    stranger = platform.eye.transaction()
    await stranger.start()
    await platform.eye.execute("select from stocks where sku = $1 for update", IN_STOCK)
    first = asyncio.ensure_future(move(platform.orders, order_id, an_attempt(order_id)))
    await eventually(lambda: waits_for_a_lock(platform))

    with pytest.raises(RequestInProgress):
        await move(platform.orders, order_id, an_attempt(order_id))

    await stranger.rollback()
    assert await first == Answer(order_id)
    assert await move(platform.orders, order_id, an_attempt(order_id)) == Answer(order_id, replayed=True)
    assert (await platform.status(order_id), await platform.stock(IN_STOCK)) == (status, stock)


async def test_ten_parallel_pays_with_one_key_sell_once(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 3))

    outcomes = await asyncio.gather(
        *(platform.orders.pay(order_id, an_attempt(order_id)) for _ in range(10)), return_exceptions=True
    )

    first = [outcome for outcome in outcomes if outcome == Answer(order_id)]
    later = [outcome for outcome in outcomes if outcome == Answer(order_id, replayed=True)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, RequestInProgress)]
    assert len(first) == 1
    assert len(later) + len(refused) == 9
    assert await platform.stock(IN_STOCK) == (297, 0)
    assert await platform.published(order_id) == ["new", "awaiting payment", "paid"]


async def test_pay_and_cancel_at_once_with_one_key_are_one_move_and_one_refusal(platform: Platform) -> None:
    for _ in range(20):
        order_id = await platform.place((IN_STOCK, 1))

        outcomes = await asyncio.gather(
            platform.orders.pay(order_id, an_attempt(order_id, body=b"pay")),
            platform.orders.cancel(order_id, an_attempt(order_id, body=b"cancel")),
            return_exceptions=True,
        )

        assert [type(outcome) for outcome in outcomes if outcome != Answer(order_id)] in (
            [IdempotencyKeyReused],
            [RequestInProgress],
        )
        assert len(await platform.published(order_id)) == 3
