"""A shard that is killed, frozen or full costs a look at the catalogue, never an answer; and it is used again."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from stack.ports import free_port
from stack.servers import Valkey
from tests.cart_fixtures import SKUS, NotedGate, OpenWorld, World
from tests.waiting import eventually

pytestmark = pytest.mark.faults


@pytest.fixture
def shards(server_folder: Path) -> Iterator[list[Valkey]]:
    """Two shards, and after them the server of the limits."""
    with ExitStack() as started:
        servers = []
        for name in ("shard-0", "shard-1", "limits"):
            server = Valkey(server_folder / name, free_port(), "s3cret", name=name, dies_with_parent=True)
            started.callback(server.kill)
            server.start()
            servers.append(server)
        yield servers


@pytest.fixture
async def sharded(open_world: OpenWorld, shards: list[Valkey]) -> World:
    return await open_world(
        gate=NotedGate(calls_per_second_max=10),
        cache_urls=[server.url for server in shards[:2]],
        limits_url=shards[2].url,
    )


async def test_both_shards_keep_a_part(sharded: World, shards: list[Valkey]) -> None:
    user = await _somebody_with_a_cart(sharded)

    await sharded.cart.show(user)

    counts = [await _cards(server) for server in shards[:2]]
    assert sum(counts) == len(SKUS)
    assert min(counts) >= 1


@pytest.mark.parametrize("dead", [1, 2])
async def test_dead_shards_are_misses_and_copies_spare_the_catalogue(
    sharded: World, shards: list[Valkey], dead: int
) -> None:
    user = await _somebody_with_a_cart(sharded)
    await sharded.cart.show(user)
    for server in shards[:dead]:
        server.kill()

    answers = [await sharded.cart.show(user) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.content for answer in answers}) == 1
    assert sharded.gate.most_in_a_second() <= 10


async def test_a_shard_that_is_back_is_used_again(sharded: World, shards: list[Valkey]) -> None:
    user = await _somebody_with_a_cart(sharded)
    shards[0].kill()
    assert (await sharded.cart.show(user)).status_code == 200
    shards[0].start()
    assert await _cards(shards[0]) == 0

    async def filled_again() -> bool:
        assert (await sharded.cart.show(user)).status_code == 200
        return await _cards(shards[0]) > 0

    await eventually(filled_again, within=30, every=0.3)


async def test_a_frozen_shard_is_waited_for_once(sharded: World, shards: list[Valkey]) -> None:
    user = await _somebody_with_a_cart(sharded)
    await sharded.cart.show(user)
    shards[0].freeze()

    began = time.monotonic()
    answers = [await sharded.cart.show(user) for _ in range(10)]
    seconds = time.monotonic() - began
    shards[0].thaw()

    assert [answer.status_code for answer in answers] == [200] * 10
    assert seconds < 5


async def test_without_any_valkey_the_catalogue_is_still_called_ten_times_a_second_at_most(
    sharded: World, shards: list[Valkey]
) -> None:
    users = [await _somebody_with_a_cart(sharded) for _ in range(20)]
    for server in shards:
        server.kill()

    answers = await asyncio.gather(*(sharded.cart.show(user) for user in users))

    assert [answer.status_code for answer in answers] == [200] * 20
    assert sharded.gate.most_in_a_second() <= 10


async def _somebody_with_a_cart(world: World) -> int:
    user = world.somebody()
    await world.put(user, dict.fromkeys(SKUS, 1))
    return user


async def _cards(server: Valkey) -> int:
    async with Redis.from_url(server.url) as client:
        return len([key async for key in client.scan_iter("card:*")])
