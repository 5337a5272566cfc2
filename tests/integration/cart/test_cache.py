"""Names and prices come from the shards; whatever befalls these, a list is answered with prices that are hardly old."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from redis.asyncio import Redis

from services.cart.domain.cart import Sku
from tests.cart_fixtures import SKUS, NotedGate, OpenWorld, World
from tests.given import SharedValkey
from tests.product_fixtures import ProductDatabase
from tests.waiting import eventually

SKU, PRICE = 1003, 450


async def test_fifty_who_miss_the_same_sku_at_once_cost_one_call(open_world: OpenWorld) -> None:
    world = await open_world(gate=NotedGate(latency_seconds=0.3), product_calls_per_second_max=1_000)
    users = [world.somebody() for _ in range(50)]
    for user in users:
        await world.put(user, {SKU: 1})

    answers = await asyncio.gather(*(world.cart.show(user) for user in users))

    assert [answer.status_code for answer in answers] == [200] * 50
    assert len(world.gate.starts) == 1


async def test_replicas_share_what_one_of_them_read(open_world: OpenWorld) -> None:
    world = await open_world(replicas=2, product_calls_per_second_max=1_000)
    user = world.somebody()
    await world.put(user, dict.fromkeys(SKUS, 1))

    answers = [await replica.show(user) for replica in world.replicas]

    assert answers[0].json() == answers[1].json()
    assert len(world.gate.starts) == len(SKUS)


async def test_an_unknown_sku_is_asked_for_each_time(world: World) -> None:
    user = world.somebody()

    statuses = [(await world.cart.add(user, 4_242)).status_code for _ in range(2)]

    assert statuses == [412, 412]
    assert len(world.gate.starts) == 2


async def test_another_type_under_a_key_is_a_miss_and_is_mended(world: World, valkey: SharedValkey) -> None:
    user = world.somebody()
    await world.put(user, {SKU: 1})
    async with Redis.from_url(valkey.url) as client:
        await client.lpush(f"card:{SKU}", "no card")
        first = await world.cart.show(user)
        await client.set(f"card:{SKU}", b"\xff\x00 no card either")
        second = await world.cart.show(user)
        third = await world.cart.show(user)

    assert [answer.status_code for answer in (first, second, third)] == [200] * 3
    assert len(world.gate.starts) == 2


async def test_shards_that_are_emptied_are_filled_again(world: World, valkey: SharedValkey) -> None:
    user = world.somebody()
    await world.put(user, {SKU: 1})
    await world.cart.show(user)
    async with Redis.from_url(valkey.url) as client:
        await client.flushdb()

    statuses = [(await world.cart.show(user)).status_code for _ in range(2)]

    assert statuses == [200, 200]
    assert len(world.gate.starts) == 2


async def test_a_new_price_is_seen_within_the_lifetime_of_a_card(
    open_world: OpenWorld, product_database: ProductDatabase
) -> None:
    world = await open_world(cache_ttl_seconds=1.0, product_calls_per_second_max=1_000)
    user = world.somebody()
    await world.put(user, {SKU: 2})
    assert await _total(world, user) == 2 * PRICE

    async with _price(product_database, SKU, 999, afterwards=PRICE):
        await eventually(lambda: _is(world, user, 2 * 999), within=3.0)


async def test_readers_who_leave_in_the_middle_never_get_anothers_card(world: World) -> None:
    user = world.somebody()
    await world.put(user, dict.fromkeys(SKUS, 1))
    right = (await world.cart.show(user)).json()
    shards = world.cart.parts.shards

    for round_number in range(200):
        reading = asyncio.ensure_future(shards.read([Sku(SKUS[round_number % 11])]))
        for _ in range(round_number % 7):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])

    assert (await world.cart.show(user)).json() == right


async def _total(world: World, user: int) -> int:
    total: int = (await world.cart.show(user)).json()["total_price"]
    return total


async def _is(world: World, user: int, total: int) -> bool:
    return await _total(world, user) == total


@asynccontextmanager
async def _price(database: ProductDatabase, sku: int, price: int, *, afterwards: int) -> AsyncIterator[None]:
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        await owner.execute("update products set price = $2 where sku = $1", sku, price)
        yield
        await owner.execute("update products set price = $2 where sku = $1", sku, afterwards)
    finally:
        await owner.close()
