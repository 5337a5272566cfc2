"""Rates in a real Valkey: shared by processes, healed of what does not belong there, gone when idle."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from chassis.limits import Ask, Held, LimiterAway, Rate, Taken, ValkeyLimiter
from stack.ports import LOOPBACK, free_port
from tests.given import SharedValkey

ASK = Ask(key="product", rate=Rate(calls=10, seconds=1.0), ahead_seconds=60.0)
AT_ONCE = Ask(key="product", rate=Rate(calls=10, seconds=1.0))


@pytest.fixture
async def limiters(valkey: SharedValkey) -> AsyncIterator[list[ValkeyLimiter]]:
    """Two processes' limiters over one server."""
    made = [ValkeyLimiter(valkey.url, prefix="limits:", answer_seconds_max=5.0) for _ in range(2)]
    yield made
    for each in made:
        await each.stop()


@pytest.fixture
async def client(valkey: SharedValkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey.url, decode_responses=True) as opened:
        yield opened


async def test_two_processes_share_one_rate(limiters: list[ValkeyLimiter]) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()

    async def moment(limiter: ValkeyLimiter) -> float:
        answer = await limiter.take(ASK)
        assert isinstance(answer, Taken)
        return clock() - began + answer.wait_seconds

    moments = sorted(await asyncio.gather(*(moment(limiter) for limiter in limiters * 25)))

    assert moments[-1] - moments[0] == pytest.approx(49 * 0.105, abs=0.5)
    assert max(sum(begin <= each < begin + 0.95 for each in moments) for begin in moments) <= 10


async def test_a_pause_by_one_holds_the_other(limiters: list[ValkeyLimiter]) -> None:
    one, other = limiters

    await one.pause(AT_ONCE, 30.0)

    held = await other.take(AT_ONCE)
    assert isinstance(held, Held)
    assert held.wait_seconds > 25


async def test_limiters_with_other_prefixes_do_not_meet(limiters: list[ValkeyLimiter], valkey: SharedValkey) -> None:
    stranger = ValkeyLimiter(valkey.url, prefix="others:")
    await limiters[0].take(AT_ONCE)

    answer = await stranger.take(AT_ONCE)

    await stranger.stop()
    assert answer == Taken(0.0)


async def test_an_idle_key_is_gone_as_soon_as_it_is_idle(limiters: list[ValkeyLimiter], client: Redis) -> None:
    await limiters[0].take(AT_ONCE)

    assert 0 < await client.pttl("limits:product") <= 105


async def test_a_strict_key_is_remembered_for_a_day(limiters: list[ValkeyLimiter], client: Redis) -> None:
    strict = Rate(calls=10, seconds=1.0, unknown_seconds=1.0)

    await limiters[0].take(Ask(key="product", rate=strict, ahead_seconds=60.0))

    assert await client.pttl("limits:product") > 86_000_000


async def test_a_key_of_another_type_or_meaning_is_taken_over(limiters: list[ValkeyLimiter], client: Redis) -> None:
    await client.rpush("limits:product", "a list")
    await client.set("limits:bot", "no number")
    bot = Ask(key="bot", rate=AT_ONCE.rate)

    looked = [await limiters[0].look(ask) for ask in (AT_ONCE, bot)]
    answers = [await limiters[0].take(ask) for ask in (AT_ONCE, bot)]

    assert looked == [0.0, 0.0]
    assert answers == [Taken(0.0), Taken(0.0)]
    assert isinstance(await limiters[0].take(AT_ONCE), Held)


async def test_scripts_forgotten_by_the_server_are_sent_again(limiters: list[ValkeyLimiter], client: Redis) -> None:
    await limiters[0].take(AT_ONCE)

    await client.script_flush()

    assert isinstance(await limiters[0].take(ASK), Taken)


async def test_nobody_at_the_address_is_away() -> None:
    lonely = ValkeyLimiter(f"redis://{LOOPBACK}:{free_port()}/0", prefix="limits:")

    with pytest.raises(LimiterAway):
        await lonely.take(AT_ONCE)

    await lonely.stop()


async def test_a_wrong_password_is_away_and_is_not_told(valkey: SharedValkey) -> None:
    at = valkey.url.rpartition("@")[2]
    stranger = ValkeyLimiter(f"redis://:not-the-one@{at}", prefix="limits:")

    with pytest.raises(LimiterAway) as refused:
        await stranger.check()

    await stranger.stop()
    assert "not-the-one" not in str(refused.value)
