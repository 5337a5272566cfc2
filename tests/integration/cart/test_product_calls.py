"""The catalogue is called ten times a second at most, as it sees it itself, whatever the carts are asked."""

import asyncio
import time
from itertools import pairwise

import pytest
from redis.asyncio import Redis

from tests.cart_fixtures import SKUS, NotedGate, OpenWorld, World, problem
from tests.given import SharedValkey

USERS_AT_ONCE = 50


@pytest.mark.parametrize("replicas", [1, 2])
async def test_bursts_of_lists_are_all_answered_and_never_eleven_calls_start_in_one_second(
    open_world: OpenWorld, valkey: SharedValkey, replicas: int
) -> None:
    world = await open_world(replicas=replicas, gate=NotedGate(calls_per_second_max=10))
    users = [world.somebody() for _ in range(USERS_AT_ONCE)]
    for user in users:
        await world.put(user, dict.fromkeys(SKUS, 1))

    cold = await _all_list(world, users)
    warm = await _all_list(world, users)
    await _forget_cards(valkey)
    cold_again = await _all_list(world, users)

    assert (cold, warm, cold_again) == ([200] * USERS_AT_ONCE,) * 3
    assert world.gate.most_in_a_second() <= 10


async def test_a_slow_catalogue_and_the_limit_leave_room_for_a_cart_of_eleven(open_world: OpenWorld) -> None:
    world = await open_world(gate=NotedGate(latency_seconds=0.6, calls_per_second_max=10))
    user = world.somebody()

    began = time.monotonic()
    await world.cart.clear(user)
    adds = [await world.cart.add(user, sku) for sku in SKUS]
    listed = await world.cart.show(user)
    seconds = time.monotonic() - began

    assert [answer.status_code for answer in (*adds, listed)] == [200] * 12
    assert [item["sku"] for item in listed.json()["items"]] == list(SKUS)
    assert seconds <= 10


async def test_the_first_error_is_the_answer_and_no_call_follows_it(open_world: OpenWorld) -> None:
    world = await open_world(gate=NotedGate(latency_seconds=0.3))
    user = world.somebody()
    await world.put(user, {1: 1, **dict.fromkeys(SKUS, 1)})

    answer = await world.cart.show(user)
    left = [name for name in _names_of_tasks() if any(part in name for part in ("_called", "_run", "Intercepted"))]

    assert problem(answer, 412)["code"] == "UNKNOWN_SKU"
    assert len(world.gate.starts) < 1 + len(SKUS)
    assert left == [], "who could still call the catalogue"


@pytest.mark.parametrize(("refusals", "status"), [(3, 200), (4, 503)])
async def test_a_busy_catalogue_is_asked_again_three_times_and_each_time_takes_a_slot(
    open_world: OpenWorld, refusals: int, status: int
) -> None:
    world = await open_world(gate=NotedGate())
    world.gate.refusals_left = refusals
    user = world.somebody()
    await world.put(user, {SKUS[0]: 1})

    answer = await world.cart.show(user)

    assert answer.status_code == status
    assert len(world.gate.starts) == 4
    starts = world.gate.starts
    assert min(after - before for before, after in pairwise(starts)) > 0.05


async def test_a_list_that_would_wait_too_long_is_told_so_and_calls_nobody(open_world: OpenWorld) -> None:
    world = await open_world(gate=NotedGate(), request_seconds_max=0.5)
    user = world.somebody()
    await world.put(user, {SKUS[0]: 1})

    answer = await world.cart.show(user)

    assert problem(answer, 504)["code"] == "DEADLINE_PASSED"
    assert world.gate.starts == []


async def test_a_catalogue_that_hangs_is_left_after_the_bound_of_one_call(open_world: OpenWorld) -> None:
    world = await open_world(gate=NotedGate(latency_seconds=30), call_seconds_max=0.3)
    user = world.somebody()
    await world.put(user, {SKUS[0]: 1})

    began = time.monotonic()
    answer = await world.cart.show(user)

    assert problem(answer, 504)["code"] == "DEADLINE_PASSED"
    assert time.monotonic() - began < 5


def _names_of_tasks() -> list[str]:
    return [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]


async def _all_list(world: World, users: list[int]) -> list[int]:
    replicas = world.replicas
    asked = [replicas[place % len(replicas)].show(user) for place, user in enumerate(users)]
    return [answer.status_code for answer in await asyncio.gather(*asked)]


async def _forget_cards(valkey: SharedValkey) -> None:
    async with Redis.from_url(valkey.url) as client:
        await client.delete(*[key async for key in client.scan_iter("card:*")])
