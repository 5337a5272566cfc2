"""A cart killed at each step of a checkout, and a customer who asks again: one order, and nothing added meanwhile lost.

`make prove` kills it a hundred times, an ordinary run once at each step.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest

from stack.ports import free_port
from tests.cart_fixtures import CartDatabase, World
from tests.cart_processes import CartProcess, cart_process
from tests.proofs import times
from tests.tcp_gate import TcpGate, tcp_gate
from tests.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

ROUNDS = times(1, proving=25)
"""Of each of the four steps."""
SKU, OTHER, LATER = 139275865, 1625903, 1148162
ORDERED, ADDED = {OTHER: 1, SKU: 2}, {SKU: 1, LATER: 1}


@dataclass(frozen=True, slots=True)
class Victim:
    """A cart process behind one gate and before another, and a world with a replica that lives."""

    world: World
    process: CartProcess
    door: TcpGate
    loms: TcpGate

    async def opens_its_way_to_loms(self) -> None:
        """Let it ask for a stock: a connection that is made later would wait for a word from the other side."""
        async with httpx.AsyncClient(base_url=f"http://{self.door.address}", timeout=30, trust_env=False) as client:
            answer = await client.post(f"/user/{self.world.somebody()}/cart/{SKU}", json={"count": 1})
        assert answer.status_code == 200, answer.text

    async def checkout(self, user: int, key: str | None) -> int | None:
        """Ask once; the order, or None where no answer came."""
        headers = {} if key is None else {"Idempotency-Key": key}
        async with httpx.AsyncClient(base_url=f"http://{self.door.address}", timeout=30, trust_env=False) as client:
            try:
                answer = await client.post(f"/checkout/{user}", headers=headers)
            except httpx.TransportError:
                return None
        return int(answer.json()["order_id"]) if answer.status_code == 200 else None


@pytest.fixture
async def victim(world: World, cart_database: CartDatabase) -> AsyncIterator[Victim]:
    async with AsyncExitStack() as opened:
        loms = await opened.enter_async_context(tcp_gate(world.rpc.address))
        address = f"127.0.0.1:{free_port()}"
        settings = {
            "CART_DATABASE_URL": cart_database.app_dsn,
            "CART_HTTP_ADDRESS": address,
            "CART_HEALTH_ADDRESS": f"127.0.0.1:{free_port()}",
            "CART_LOMS_ADDRESS": loms.address,
            "CART_PRODUCT_ADDRESS": world.settings.product_address,
            "CART_CACHE_URLS": json.dumps([url.get_secret_value() for url in world.settings.cache_urls]),
            "CART_LIMITS_URL": world.settings.limits_url.get_secret_value(),
            "CART_CALL_SECONDS_MAX": "30",
            "CART_REQUEST_SECONDS_MAX": "30",
        }
        door = await opened.enter_async_context(tcp_gate(address))
        process = await opened.enter_async_context(cart_process(settings))
        yield Victim(world, process, door, loms)


@pytest.mark.parametrize("step", ["begun", "ordered", "finishing", "finished"])
async def test_a_killed_checkout_is_one_order_and_loses_nothing(victim: Victim, step: str) -> None:
    for number in range(ROUNDS):
        key = f"{step}-{number}" if number % 2 == 0 or step == "finished" else None
        user = await _dies_at(victim, step, key)

        again = await victim.world.cart.checkout(user, key)

        assert again.status_code == 200, again.text
        assert await victim.world.orders_of(user) == {again.json()["order_id"]: ORDERED}
        assert await victim.world.cart_of(user) == ADDED
        assert await victim.world.checkouts_of(user) == ["done"]
        await victim.process.start()


async def _dies_at(victim: Victim, step: str, key: str | None) -> int:
    """Let a checkout of a new user come as far as this step, add to the cart meanwhile, and kill the process."""
    world, user = victim.world, victim.world.somebody()
    await world.put(user, ORDERED)
    await victim.opens_its_way_to_loms()
    (victim.loms.hold_requests if step == "begun" else victim.loms.hold_answers)()
    checkout = asyncio.create_task(victim.checkout(user, key))

    async def is_at(state: str) -> bool:
        return await world.checkouts_of(user) == [state]

    async def is_ordered() -> bool:
        return bool(await world.orders_of(user))

    async def is_waiting() -> bool:
        return bool(await world.loms_eye.fetchval(WAITING))

    await eventually(lambda: is_at("open"))
    if step != "begun":
        await eventually(is_ordered)
    for sku in ADDED:
        assert (await world.cart.add(user, sku)).status_code == 200
    if step == "finishing":
        async with world.eye.transaction():
            await world.eye.execute("select * from cart_items where user_id = $1 for update", user)
            victim.loms.open()
            await eventually(is_waiting)
            await victim.process.kill()
    elif step == "finished":
        victim.door.hold_answers()
        victim.loms.open()
        await eventually(lambda: is_at("done"))
    await victim.process.kill()
    await victim.loms.cut()
    await victim.door.cut()
    assert await checkout is None, "the customer never learnt"
    return user


WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'cart-api%'"
