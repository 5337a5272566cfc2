"""A cart becomes an order once, and what is added meanwhile stays."""

import asyncio

import pytest

from tests.cart_fixtures import SOLD_OUT, World, problem
from tests.waiting import eventually

SKU, OTHER = 139275865, 1625903
"""Both with deep stock."""


async def test_parallel_checkouts_of_one_user_are_one_order(world: World) -> None:
    user = world.somebody()
    await world.cart.add(user, SKU, 2)

    answers = await asyncio.gather(*(world.cart.checkout(user) for _ in range(20)))

    assert {answer.status_code for answer in answers} <= {200, 404}
    orders = await world.orders_of(user)
    assert list(orders.values()) == [{SKU: 2}]
    assert {answer.json()["order_id"] for answer in answers if answer.status_code == 200} == set(orders)
    assert await world.cart_of(user) == {}


async def test_parallel_checkouts_with_one_key_all_get_the_order(world: World) -> None:
    user = world.somebody()
    await world.cart.add(user, SKU)

    answers = await asyncio.gather(*(world.cart.checkout(user, "once") for _ in range(20)))

    assert [answer.status_code for answer in answers] == [200] * 20
    assert {answer.json()["order_id"] for answer in answers} == set(await world.orders_of(user))


async def test_adds_beside_checkouts_are_ordered_once_or_stay(world: World) -> None:
    user = world.somebody()

    async def shops() -> int:
        return sum([(await world.cart.add(user, SKU)).status_code == 200 for _ in range(30)])

    async def checks_out() -> None:
        for _ in range(15):
            await world.cart.checkout(user)

    added, *_ = await asyncio.gather(shops(), checks_out(), checks_out())

    ordered = sum(items[SKU] for items in (await world.orders_of(user)).values())
    assert added == 30
    assert ordered + (await world.cart_of(user)).get(SKU, 0) == added


async def test_clears_beside_checkouts_and_adds_fail_nobody(world: World) -> None:
    user = world.somebody()
    skus = (SKU, OTHER, 1148162, 2618151, 3618852, 4288068)

    async def shops(skus: tuple[int, ...]) -> list[int]:
        return [(await world.cart.add(user, sku)).status_code for _ in range(4) for sku in skus]

    async def clears() -> list[int]:
        return [(await world.cart.clear(user)).status_code for _ in range(15)]

    async def checks_out() -> list[int]:
        return [(await world.cart.checkout(user)).status_code for _ in range(15)]

    answers = await asyncio.gather(shops(skus), shops(skus[::-1]), clears(), checks_out(), checks_out())

    assert {status for statuses in answers for status in statuses} <= {200, 204, 404}


async def test_what_is_added_while_loms_thinks_stays_and_exactly_what_was_ordered_leaves(world: World) -> None:
    user = world.somebody()
    await world.cart.add(user, SKU, 2)
    await world.cart.add(user, OTHER, 1)

    async with _while_loms_thinks(world, user):
        await world.cart.add(user, SKU, 3)
        await world.cart.add(user, 1148162, 1)

    assert list((await world.orders_of(user)).values()) == [{OTHER: 1, SKU: 2}]
    assert await world.cart_of(user) == {SKU: 3, 1148162: 1}


async def test_what_is_taken_out_and_put_in_again_meanwhile_stays(world: World) -> None:
    user = world.somebody()
    await world.cart.add(user, SKU, 5)

    async with _while_loms_thinks(world, user):
        await world.cart.clear(user)
        await world.cart.add(user, SKU, 1)

    assert list((await world.orders_of(user)).values()) == [{SKU: 5}]
    assert await world.cart_of(user) == {SKU: 1}


async def test_marks_of_a_refused_checkout_take_nothing_out_later(world: World) -> None:
    user = world.somebody()
    await world.put(user, {SKU: 5, SOLD_OUT: 1})
    problem(await world.cart.checkout(user), 412)
    await world.cart.remove(user, SOLD_OUT)

    async with _while_loms_thinks(world, user):
        await world.cart.add(user, OTHER)

    assert list((await world.orders_of(user)).values()) == [{SKU: 5}]
    assert await world.cart_of(user) == {OTHER: 1}


async def test_a_key_whose_order_was_refused_may_be_used_again(world: World) -> None:
    user = world.somebody()
    await world.put(user, {SKU: 1, SOLD_OUT: 1})
    problem(await world.cart.checkout(user, "once"), 412)
    await world.cart.remove(user, SOLD_OUT)

    answer = await world.cart.checkout(user, "once")

    assert answer.json()["order_id"] in await world.orders_of(user)
    assert await world.checkouts_of(user) == ["refused", "done"]


async def test_what_is_stock_no_more_is_refused_and_kept(world: World) -> None:
    user = world.somebody()
    await world.cart.add(user, SKU, 1)
    await world.loms_eye.execute("update stocks set reserved = total where sku = $1", SKU)

    answer = await world.cart.checkout(user)

    assert problem(answer, 412)["code"] == "ORDER_REFUSED"
    assert await world.cart_of(user) == {SKU: 1}


@pytest.mark.parametrize("rounds", [30])
async def test_every_move_of_a_cart_at_once_leaves_sums_that_are_right(world: World, rounds: int) -> None:
    users = [world.somebody() for _ in range(4)]

    async def lives(user: int) -> int:
        added = 0
        for _ in range(rounds):
            answers = await asyncio.gather(
                world.cart.add(user, SKU, 2), world.cart.checkout(user), world.cart.add(user, SKU, 1)
            )
            added += 2 * (answers[0].status_code == 200) + (answers[2].status_code == 200)
            assert answers[1].status_code in {200, 404}
        return added

    added = await asyncio.gather(*(lives(user) for user in users))

    for user, count in zip(users, added, strict=True):
        ordered = sum(items[SKU] for items in (await world.orders_of(user)).values())
        assert ordered + (await world.cart_of(user)).get(SKU, 0) == count


class _while_loms_thinks:  # noqa: N801 - reads as a phrase
    """A checkout that has begun and is not finished before the block ends: another session holds the stock's row."""

    def __init__(self, world: World, user: int) -> None:
        self._world = world
        self._user = user

    async def __aenter__(self) -> None:
        self._holding = self._world.loms_eye.transaction()
        await self._holding.start()
        await self._world.loms_eye.execute("select * from stocks for update")
        self._checkout = asyncio.create_task(self._world.cart.checkout(self._user))
        await eventually(self._is_open)

    async def __aexit__(self, *_: object) -> None:
        await self._holding.rollback()
        assert (await self._checkout).status_code == 200

    async def _is_open(self) -> bool:
        return "open" in await self._world.checkouts_of(self._user)
