"""A Valkey that is killed, frozen, full or emptied: rates are kept all the same, and nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from chassis.limits import Ask, FallbackLimiter, Held, LocalLimiter, Rate, Taken, ValkeyLimiter
from stack.ports import free_port
from stack.servers import Valkey
from tests.waiting import eventually

pytestmark = pytest.mark.faults

BOT = Ask(key="bot", rate=Rate(calls=30, seconds=1.0), ahead_seconds=60.0)
PRODUCT = Ask(key="product", rate=Rate(calls=10, seconds=1.0, unknown_seconds=1.0), ahead_seconds=60.0)
CHAT = Ask(key="chat", rate=Rate(calls=1, seconds=1.0))


@pytest.fixture
def server(server_folder: Path) -> Iterator[Valkey]:
    made = Valkey(server_folder / "valkey", free_port(), "s3cret", dies_with_parent=True)
    made.start()
    yield made
    made.kill()


@pytest.fixture
async def replicas(server: Valkey) -> AsyncIterator[list[FallbackLimiter]]:
    """Three processes that share a rate."""
    made = [
        FallbackLimiter(
            shared=ValkeyLimiter(server.url, prefix="limits:"), local=LocalLimiter(parts=3), look_seconds=0.1
        )
        for _ in range(3)
    ]
    for each in made:
        await each.start()
    yield made
    for each in made:
        await each.stop()


async def test_a_killed_server_leaves_each_its_part(server: Valkey, replicas: list[FallbackLimiter]) -> None:
    await asyncio.gather(*(replica.take(BOT) for replica in replicas))
    server.kill()

    waits = [await taken(replicas[0], BOT) for _ in range(11)]

    assert waits[10] - waits[0] == pytest.approx(10 * 0.105, abs=0.3)


async def test_a_server_that_is_back_is_shared_again(server: Valkey, replicas: list[FallbackLimiter]) -> None:
    server.kill()
    assert all([isinstance(await replica.take(CHAT), Taken) for replica in replicas])
    server.start()

    async def shared() -> bool:
        answers = await asyncio.gather(*(replica.take(CHAT) for replica in replicas))
        return sorted(type(answer).__name__ for answer in answers) == ["Held", "Held", "Taken"]

    await eventually(shared, within=15)


async def test_nobody_waits_for_a_frozen_server(server: Valkey, replicas: list[FallbackLimiter]) -> None:
    clock = asyncio.get_running_loop().time
    await replicas[0].take(BOT)
    server.freeze()
    began = clock()
    await asyncio.gather(*(replicas[0].take(BOT) for _ in range(20)))
    found_out = clock() - began

    again = clock()
    await asyncio.gather(*(replicas[0].take(BOT) for _ in range(1_000)))
    known = clock() - again
    server.thaw()

    assert found_out < 5.0
    assert known < 5.0


async def test_a_thawed_server_is_shared_again(server: Valkey, replicas: list[FallbackLimiter]) -> None:
    server.freeze()
    await replicas[0].take(BOT)
    server.thaw()

    await eventually(lambda: replicas[0]._away is None)

    assert isinstance(await replicas[0].take(CHAT), Taken)
    assert isinstance(await replicas[1].take(CHAT), Held)


async def test_a_pause_outlives_a_server_that_forgets_everything(
    server: Valkey, replicas: list[FallbackLimiter]
) -> None:
    await replicas[0].pause(CHAT, 30.0)
    async with Redis.from_url(server.url) as client:
        await client.flushall()

    held = await replicas[0].take(CHAT)

    assert isinstance(held, Held)
    assert held.wait_seconds > 25


async def test_a_pause_during_an_outage_is_kept_when_the_server_is_back(
    server: Valkey, replicas: list[FallbackLimiter]
) -> None:
    server.kill()
    await replicas[0].take(BOT)
    await replicas[0].pause(CHAT, 30.0)
    server.start()
    await eventually(lambda: replicas[0]._away is None, within=15)

    held = await replicas[0].take(CHAT)

    assert isinstance(held, Held)
    assert held.wait_seconds > 25


async def test_a_full_server_is_as_good_as_away(server: Valkey, replicas: list[FallbackLimiter]) -> None:
    async with Redis.from_url(server.url) as client:
        await client.config_set("maxmemory", "1")

        answers = [await replica.take(CHAT) for replica in replicas]

        assert all(isinstance(answer, Taken) for answer in answers)
        await client.config_set("maxmemory", "0")
    await eventually(lambda: all(replica._away is None for replica in replicas), within=15)


async def test_a_strict_rate_survives_every_change_of_keeper(server: Valkey, replicas: list[FallbackLimiter]) -> None:
    clock = asyncio.get_running_loop().time
    calls: list[float] = []
    over = asyncio.Event()

    async def caller(replica: FallbackLimiter) -> None:
        ask = Ask(key=PRODUCT.key, rate=PRODUCT.rate, ahead_seconds=0.2)
        while not over.is_set():
            answer = await replica.take(ask)
            await asyncio.sleep(answer.wait_seconds)
            if isinstance(answer, Taken):
                calls.append(clock())

    async def more() -> None:
        sofar = len(calls)
        await eventually(lambda: len(calls) >= sofar + 25, within=60)

    running = [asyncio.create_task(caller(replica)) for replica in replicas]
    await more()
    await asyncio.to_thread(server.kill)
    await more()
    await asyncio.to_thread(server.start)
    await more()
    async with Redis.from_url(server.url) as client:
        await client.flushall()
    await more()
    over.set()
    await asyncio.gather(*running)

    most = max(sum(begin <= call < begin + 1.0 for call in calls) for begin in calls)
    print(f"calls {len(calls)} in {calls[-1] - calls[0]:.1f} s, at most {most} in any second")
    assert most <= 10


async def taken(limiter: FallbackLimiter, ask: Ask) -> float:
    """The moment a slot lies at, by the loop's clock."""
    answer = await limiter.take(ask)
    assert isinstance(answer, Taken)
    return asyncio.get_running_loop().time() + answer.wait_seconds
