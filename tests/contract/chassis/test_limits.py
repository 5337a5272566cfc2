"""What any limiter promises: one shared through Valkey, and one within a process."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from chassis.limits import Ask, Held, Limiter, LocalLimiter, Rate, Taken, ValkeyLimiter
from tests.given import SharedValkey

PRODUCT = Rate(calls=10, seconds=1.0)
BOT = Rate(calls=30, seconds=1.0)
CHAT = Rate(calls=1, seconds=1.0)
GROUP = Rate(calls=20, seconds=60.0, burst=5)


@pytest.fixture(params=["valkey", "local"])
async def limiter(request: pytest.FixtureRequest, valkey: SharedValkey) -> AsyncIterator[Limiter]:
    if request.param == "local":
        yield LocalLimiter()
        return
    shared = ValkeyLimiter(valkey.url, prefix="limits:", answer_seconds_max=5.0)
    yield shared
    await shared.stop()


async def test_a_first_call_goes_at_once_and_the_next_is_held(limiter: Limiter) -> None:
    ask = Ask(key="product", rate=PRODUCT)

    first, second = await limiter.take(ask), await limiter.take(ask)

    assert first == Taken(0.0)
    assert isinstance(second, Held)
    assert second.by == "product"
    assert 0.0 < second.wait_seconds <= 0.105


async def test_who_waits_is_given_evenly_spaced_slots(limiter: Limiter) -> None:
    ask = Ask(key="product", rate=PRODUCT, ahead_seconds=60.0)

    moments = await taken(limiter, ask, 30)

    assert moments[-1] - moments[0] == pytest.approx(29 * 0.105, abs=0.1)
    assert min(after - before for before, after in pairwise(moments)) > 0.05


@pytest.mark.parametrize("rate", [PRODUCT, BOT, CHAT, GROUP], ids=["10/s", "30/s", "1/s", "20/min"])
async def test_no_window_wherever_it_begins_holds_a_call_too_many(limiter: Limiter, rate: Rate) -> None:
    moments = await taken(limiter, Ask(key="any", rate=rate, ahead_seconds=3_600.0), 3 * rate.calls + 3)

    assert max_in_a_window(moments, rate.seconds) <= rate.calls


async def test_a_burst_goes_at_once_and_what_follows_is_spaced_wider(limiter: Limiter) -> None:
    moments = await taken(limiter, Ask(key="group", rate=GROUP, ahead_seconds=60.0), 7)

    assert max(moments[:5]) < 0.5
    assert moments[5] == pytest.approx(3.94, abs=0.5)
    assert moments[6] == pytest.approx(7.88, abs=0.5)


async def test_a_call_takes_a_slot_of_every_key_or_of_none(limiter: Limiter) -> None:
    bot, chat = Ask(key="bot", rate=BOT, ahead_seconds=1.0), Ask(key="chat 7", rate=CHAT)
    await limiter.take(bot, chat)

    refused = await limiter.take(bot, chat)
    others = [await limiter.take(bot, Ask(key=f"chat {other}", rate=CHAT)) for other in (8, 9)]

    assert isinstance(refused, Held)
    assert refused.by == "chat 7"
    assert 0.5 < refused.wait_seconds <= 1.05
    assert all(isinstance(other, Taken) and other.wait_seconds <= 2 * 0.035 for other in others)


async def test_a_slot_is_held_by_the_key_that_is_free_last(limiter: Limiter) -> None:
    bot, chat = Ask(key="bot", rate=BOT), Ask(key="chat 7", rate=CHAT)
    await limiter.take(bot, chat)

    held = await limiter.take(chat, bot)

    assert isinstance(held, Held)
    assert held.by == "chat 7"


async def test_looking_takes_nothing(limiter: Limiter) -> None:
    ask = Ask(key="product", rate=PRODUCT)

    looked = [await limiter.look(ask) for _ in range(3)]
    first = await limiter.take(ask)

    assert looked == [0.0, 0.0, 0.0]
    assert first == Taken(0.0)
    assert 0.0 < await limiter.look(ask) <= 0.105


async def test_a_pause_holds_its_key_and_no_other(limiter: Limiter) -> None:
    await limiter.pause(Ask(key="group 7", rate=GROUP), 30.0)

    held = await limiter.take(Ask(key="group 7", rate=GROUP))

    assert isinstance(held, Held)
    assert held.wait_seconds == pytest.approx(30.0, abs=1.0)
    assert await limiter.take(Ask(key="group 8", rate=GROUP)) == Taken(0.0)


async def test_a_longer_pause_is_not_shortened(limiter: Limiter) -> None:
    ask = Ask(key="bot", rate=BOT)
    await limiter.pause(ask, 30.0)

    await limiter.pause(ask, 1.0)

    assert await limiter.look(ask) == pytest.approx(30.0, abs=1.0)


async def test_after_a_pause_calls_are_spaced_as_before(limiter: Limiter) -> None:
    ask = Ask(key="bot", rate=BOT, ahead_seconds=60.0)
    await limiter.pause(ask, 10.0)

    moments = await taken(limiter, ask, 3)

    assert moments[0] == pytest.approx(10.0, abs=0.5)
    assert moments[2] - moments[0] == pytest.approx(2 * 0.035, abs=0.002)


async def test_a_key_nobody_remembers_waits_for_a_window_where_it_must(limiter: Limiter) -> None:
    strict = Rate(calls=10, seconds=1.0, unknown_seconds=1.0)

    held = await limiter.take(Ask(key="product", rate=strict))
    moments = await taken(limiter, Ask(key="other product", rate=strict, ahead_seconds=60.0), 2)

    assert isinstance(held, Held)
    assert held.wait_seconds == pytest.approx(1.0, abs=0.5)
    assert moments[0] == pytest.approx(1.0, abs=0.5)
    assert moments[1] - moments[0] == pytest.approx(0.105, abs=0.002)


async def taken(limiter: Limiter, ask: Ask, count: int) -> list[float]:
    """When each of so many calls may go, in seconds from the first question."""
    clock = asyncio.get_running_loop().time
    began, moments = clock(), []
    for _ in range(count):
        answer = await limiter.take(ask)
        assert isinstance(answer, Taken)
        moments.append(clock() - began + answer.wait_seconds)
    return moments


def max_in_a_window(moments: list[float], seconds: float) -> int:
    """The most calls that any window of this length holds."""
    return max(sum(begin <= moment < begin + seconds for moment in moments) for begin in moments)
