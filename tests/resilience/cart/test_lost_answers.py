"""A checkout whose messages are lost at any step is gone on with by the next one: one order, nothing lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from tests.cart_fixtures import CartDatabase, OpenWorld, Replica, World, problem, replica_of
from tests.commit_cut import CommitCut, Where, commit_cut
from tests.tcp_gate import TcpGate, tcp_gate
from tests.waiting import eventually

pytestmark = pytest.mark.faults

SKU, OTHER = 139275865, 1625903
KEYS = [None, "once"]


@dataclass(frozen=True, slots=True)
class Lossy:
    """A replica that reaches its database and LOMS by way of proxies, in a world that is well otherwise."""

    world: World
    cart: Replica
    commits: CommitCut
    loms: TcpGate

    async def user_with(self, items: dict[int, int]) -> int:
        user = self.world.somebody()
        await self.world.put(user, items)
        return user

    async def is_open(self, user: int) -> bool:
        return await self.world.checkouts_of(user) == ["open"]

    async def is_ordered(self, user: int) -> bool:
        return bool(await self.world.orders_of(user))


@pytest.fixture
async def lossy(world: World, cart_database: CartDatabase) -> AsyncIterator[Lossy]:
    async with AsyncExitStack() as opened:
        commits, through = await opened.enter_async_context(commit_cut(cart_database.app_dsn))
        gate = await opened.enter_async_context(tcp_gate(world.rpc.address))
        changes = {"database_url": through, "loms_address": gate.address, "call_seconds_max": 1.0}
        settings = type(world.settings)(**{**world.settings.model_dump(), **changes})
        cart = await opened.enter_async_context(replica_of(settings))
        assert (await cart.add(world.somebody(), OTHER)).status_code == 200, "the way to LOMS is open"
        yield Lossy(world, cart, commits, gate)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("where", ["before", "after"])
async def test_the_commit_of_the_beginning_is_lost(lossy: Lossy, where: Where, key: str | None) -> None:
    user = await lossy.user_with({SKU: 2})
    lossy.commits.arm(where)

    lost = await lossy.cart.checkout(user, key)
    again = await lossy.cart.checkout(user, key)

    assert problem(lost, 503)["code"] == "NEIGHBOUR_AWAY"
    assert lossy.commits.cuts == 1
    await _is_one_order(lossy.world, user, again.json()["order_id"], {SKU: 2})


@pytest.mark.parametrize("key", KEYS)
async def test_the_call_of_loms_never_arrives(lossy: Lossy, key: str | None) -> None:
    user = await lossy.user_with({SKU: 2})
    lossy.loms.hold_requests()
    checkout = asyncio.create_task(lossy.cart.checkout(user, key))
    await eventually(lambda: lossy.is_open(user))
    await lossy.world.cart.add(user, OTHER)
    await lossy.loms.cut()

    lost = await checkout
    again = await lossy.cart.checkout(user, key)

    assert lost.status_code in {503, 504}
    await _is_one_order(lossy.world, user, again.json()["order_id"], {SKU: 2}, left={OTHER: 1})


@pytest.mark.parametrize("key", KEYS)
async def test_the_answer_of_loms_is_lost(lossy: Lossy, key: str | None) -> None:
    user = await lossy.user_with({SKU: 2})
    lossy.loms.hold_answers()
    checkout = asyncio.create_task(lossy.cart.checkout(user, key))
    await eventually(lambda: lossy.is_ordered(user))
    await lossy.world.cart.add(user, SKU, 3)
    await lossy.loms.cut()

    lost = await checkout
    again = await lossy.cart.checkout(user, key)

    assert lost.status_code in {503, 504}
    await _is_one_order(lossy.world, user, again.json()["order_id"], {SKU: 2}, left={SKU: 3})


@pytest.mark.parametrize("where", ["before", "after"])
async def test_the_commit_of_the_end_is_lost(lossy: Lossy, where: Where) -> None:
    user = await lossy.user_with({SKU: 2})
    lossy.loms.hold_answers()
    checkout = asyncio.create_task(lossy.cart.checkout(user, "once"))
    await eventually(lambda: lossy.is_ordered(user))
    await lossy.world.cart.add(user, OTHER)
    lossy.commits.arm(where)
    lossy.loms.open()

    lost = await checkout
    again = await lossy.cart.checkout(user, "once")

    assert problem(lost, 503)["code"] == "NEIGHBOUR_AWAY"
    assert lossy.commits.cuts == 1
    await _is_one_order(lossy.world, user, again.json()["order_id"], {SKU: 2}, left={OTHER: 1})


async def test_an_end_that_was_lost_is_404_to_who_has_no_key(lossy: Lossy) -> None:
    user = await lossy.user_with({SKU: 2})
    lossy.loms.hold_answers()
    checkout = asyncio.create_task(lossy.cart.checkout(user))
    await eventually(lambda: lossy.is_ordered(user))
    lossy.commits.arm("after")
    lossy.loms.open()

    assert (await checkout).status_code == 503
    problem(await lossy.cart.checkout(user), 404)
    assert len(await lossy.world.orders_of(user)) == 1


async def test_who_asks_through_another_replica_goes_on_with_the_same_order(lossy: Lossy) -> None:
    user = await lossy.user_with({SKU: 2})
    lossy.loms.hold_answers()
    checkout = asyncio.create_task(lossy.cart.checkout(user, "first"))
    await eventually(lambda: lossy.is_ordered(user))

    elsewhere = await lossy.world.cart.checkout(user, "second")
    lossy.loms.open()

    assert (await checkout).json() == elsewhere.json()
    await _is_one_order(lossy.world, user, elsewhere.json()["order_id"], {SKU: 2})


async def test_loms_that_hangs_ends_a_checkout_within_the_bound_of_a_call(lossy: Lossy) -> None:
    user = await lossy.user_with({SKU: 2})
    lossy.loms.hold_requests()

    late = await lossy.cart.checkout(user)

    assert problem(late, 504)["code"] == "DEADLINE_PASSED"
    assert await lossy.world.cart_of(user) == {SKU: 2}


async def test_an_add_that_cannot_ask_for_the_stock_changes_nothing(lossy: Lossy) -> None:
    user = lossy.world.somebody()
    lossy.loms.hold_requests()

    late = await lossy.cart.add(user, SKU)

    assert problem(late, 504)["code"] == "DEADLINE_PASSED"
    assert await lossy.world.cart_of(user) == {}


async def test_a_database_that_hangs_ends_a_request_within_its_bound(open_world: OpenWorld) -> None:
    world = await open_world(request_seconds_max=0.5, product_calls_per_second_max=1_000)
    user = world.somebody()
    await world.put(user, {SKU: 1})

    async with world.eye.transaction():
        await world.eye.execute("lock table cart_items in access exclusive mode")
        late = [await world.cart.show(user), await world.cart.clear(user), await world.cart.checkout(user)]

    assert [problem(answer, 504)["code"] for answer in late] == ["DEADLINE_PASSED"] * 3

    async def answers_again() -> bool:
        return (await world.cart.show(user)).status_code == 200

    await eventually(answers_again)


async def _is_one_order(
    world: World, user: int, order_id: int, items: dict[int, int], *, left: dict[int, int] | None = None
) -> None:
    assert await world.orders_of(user) == {order_id: items}
    assert await world.cart_of(user) == (left or {})
    assert await world.checkouts_of(user) == ["done"]
