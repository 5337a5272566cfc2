"""Who tests the tests: a known mistake is planted as a wrong collaborator; the run that clears the cart convicts it."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import pytest

from services.cart.clients.loms import Loms
from services.cart.domain.cart import CartItem, OrderId, UserId
from services.cart.domain.checkout import Checkout
from services.cart.domain.errors import NeighbourAway
from services.cart.repository.checkouts import Checkouts
from services.cart.service.checkout import CheckoutService
from tests.cart_fixtures import World

SKU, OTHER, UNTOUCHED = 139275865, 1625903, 1148162


class ForgetsTheAttempt(Checkouts):
    """Calls LOMS with a new key each time: an answer that was lost becomes a second order."""

    async def begin(self, user_id: UserId, key: str | None) -> Checkout:
        return replace(await super().begin(user_id, key), id=uuid4())

    async def finish(self, checkout: Checkout, order_id: OrderId) -> None:
        async with self._pool.acquire() as connection:
            open_id = "select checkout_id from checkouts where user_id = $1 and state = 'open'"
            known = await connection.fetchval(open_id, checkout.user_id)
        await super().finish(replace(checkout, id=known), order_id)


class EmptiesTheCart(Checkouts):
    """Wipes what was added meanwhile."""

    async def finish(self, checkout: Checkout, order_id: OrderId) -> None:
        await super().finish(checkout, order_id)
        async with self._pool.acquire() as connection:
            await connection.execute("delete from cart_items where user_id = $1", checkout.user_id)


class TakesOutByCount(Checkouts):
    """Takes the ordered counts out of whatever lies there now."""

    async def finish(self, checkout: Checkout, order_id: OrderId) -> None:
        async with self._pool.acquire() as connection:
            for item in checkout.items:
                await connection.execute(
                    "delete from cart_items where user_id = $1 and sku = $2 and count <= $3",
                    checkout.user_id,
                    item.sku,
                    item.count,
                )
        await super().finish(checkout, order_id)


class LeavesTheCart(Checkouts):
    """Says that it is done and takes nothing out."""

    async def finish(self, checkout: Checkout, order_id: OrderId) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(
                "update checkouts set state = 'done', order_id = $2 where checkout_id = $1", checkout.id, order_id
            )


class LosesTheFirstAnswer:
    """LOMS, whose first answer never comes."""

    def __init__(self, orders: Loms) -> None:
        self._orders = orders
        self._is_first = True

    async def create(self, user_id: UserId, items: Sequence[CartItem], *, key: str) -> OrderId:
        order_id = await self._orders.create(user_id, items, key=key)
        if self._is_first:
            self._is_first = False
            raise NeighbourAway("loms")
        return order_id


@pytest.mark.parametrize("mistake", [ForgetsTheAttempt, EmptiesTheCart, TakesOutByCount, LeavesTheCart])
async def test_the_run_convicts_a_mistake(world: World, mistake: type[Checkouts]) -> None:
    with pytest.raises(AssertionError):
        await run(world, mistake(pool=world.cart.parts.pool))


async def test_the_run_clears_the_cart(world: World) -> None:
    await run(world, Checkouts(pool=world.cart.parts.pool))


async def run(world: World, checkouts: Checkouts) -> None:
    """Lose the answer of LOMS, change the cart meanwhile, ask again; one order, and what was added, must be there."""
    orders = LosesTheFirstAnswer(Loms(client=world.cart.parts.loms, call_seconds_max=10.0))
    service = CheckoutService(checkouts=checkouts, orders=orders)
    user = world.somebody()
    await world.put(user, {SKU: 2, UNTOUCHED: 1})
    with contextlib.suppress(NeighbourAway):
        await service.checkout(UserId(user))
    await world.cart.remove(user, SKU)
    for sku in (SKU, OTHER):
        assert (await world.cart.add(user, sku)).status_code == 200

    order_id = await service.checkout(UserId(user))

    assert await world.orders_of(user) == {order_id: {UNTOUCHED: 1, SKU: 2}}
    assert await world.cart_of(user) == {SKU: 1, OTHER: 1}
