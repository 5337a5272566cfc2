"""Telegram's limits kept, and its 429s understood, by the stand-in's own clock."""

import time
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from services.notification import bootstrap
from services.notification.telegram.limits import BotLimits
from tests.given import SharedValkey
from tests.notification_fixtures import Town, a_chat, placed, settings
from tests.stand_in import StandIn
from tests.waiting import eventually

AS_TELEGRAM = {"bot_per_second": 30, "chat_per_second": 1, "group_per_minute": 20}


@pytest.fixture
def strict_stand_in(tmp_path: Path) -> Iterator[StandIn]:
    """A Bot API of this test alone, with the real service's limits."""
    server = StandIn(tmp_path / "telegram", "--limits")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def strict_town(town: Town, strict_stand_in: StandIn) -> Town:
    return Town(database=town.database, pool=town.pool, eye=town.eye, telegram=strict_stand_in)


@pytest.fixture
async def replicas(valkey: SharedValkey) -> AsyncIterator[list[BotLimits]]:
    """The limits of three senders that share a bot."""
    made = [bootstrap.telegram_limits(settings("http://", limits_url=valkey.url, senders=3)) for _ in range(3)]
    yield [limits for _, limits in made]
    for keepers, _ in made:
        for keeper in keepers:
            await keeper.stop()


async def test_replicas_that_share_a_bot_are_refused_nothing(strict_town: Town, replicas: list[BotLimits]) -> None:
    for user_id in range(1, 61):
        await strict_town.link(user_id)
        await strict_town.plan(*placed(user_id, user_id=user_id))
    one, two, three = replicas

    async with strict_town.sender(limits=one), strict_town.sender(limits=two), strict_town.sender(limits=three):
        await eventually(strict_town.settled, within=30)

    calls = strict_town.telegram.calls()
    assert [call["code"] for call in calls] == [200] * 60
    assert most_in(calls, 1.0) <= 30


async def test_one_chat_gets_one_call_a_second(strict_town: Town, replicas: list[BotLimits]) -> None:
    chat = await strict_town.link()
    await strict_town.plan(*placed(42), *placed(43), *placed(44))

    await strict_town.deliver(limits=replicas[0])

    calls = strict_town.telegram.calls(chat)
    assert [call["code"] for call in calls] == [200] * 3
    assert min(after["at"] - before["at"] for before, after in pairwise(calls)) > 1.0


async def test_a_group_gets_twenty_a_minute(strict_town: Town, replicas: list[BotLimits]) -> None:
    group = await strict_town.link(chat_id=-a_chat())
    limits = replicas[0]

    waits = [await limits.wait_for(group) for _ in range(2)]
    held = [await replicas[1].wait_for(group) for _ in range(2)]

    assert waits[0].total_seconds() == 0.0
    assert all(hold.total_seconds() > 0.9 for hold in [waits[1], *held])


async def test_a_chat_is_not_called_before_the_time_it_asked_for(town: Town, replicas: list[BotLimits]) -> None:
    limited, free = await town.link(7), [await town.link(user_id) for user_id in range(8, 18)]
    town.telegram.script(limited, {"answer": "too_many_requests", "retry_after": 2})
    await town.plan(*(change for user_id in range(7, 18) for change in placed(user_id, user_id=user_id)))
    before = len(town.telegram.calls())

    await town.deliver(limits=replicas[0])

    calls = town.telegram.calls(since=before)
    refused, accepted = [call for call in calls if call["chat_id"] == limited]
    others = [call["at"] for call in calls if call["chat_id"] in free]
    assert (refused["code"], accepted["code"]) == (429, 200)
    assert accepted["at"] - refused["at"] >= 2.0
    assert max(others) - refused["at"] < 1.5


async def test_what_is_planned_during_a_pause_does_not_end_it(town: Town, replicas: list[BotLimits]) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "too_many_requests", "retry_after": 2})
    await town.plan(*placed(42))
    async with town.sender(limits=replicas[0]), town.sender(limits=replicas[1]):
        await eventually(lambda: town.telegram.calls(chat))
        await town.plan(*placed(43))

        await eventually(town.settled, within=20)

    refused, *later = town.telegram.calls(chat)
    assert later[0]["at"] - refused["at"] >= 2.0


async def test_several_chats_refused_in_a_row_stop_the_bot_as_a_whole(town: Town, replicas: list[BotLimits]) -> None:
    for user_id in range(1, 31):
        await town.link(user_id)
    await town.plan(*(change for user_id in range(1, 31) for change in placed(user_id, user_id=user_id)))
    before = len(town.telegram.calls())
    town.telegram.script(None, {"answer": "too_many_requests", "retry_after": 2, "times": None})

    def quiet() -> bool:
        moments = [call["at"] for call in town.telegram.calls(since=before)]
        return len(moments) >= 5 and time.monotonic() - moments[-1] > 0.5

    async with town.sender(limits=replicas[0]), town.sender(limits=replicas[1]):
        await eventually(quiet)
        town.telegram.script(None)
        await eventually(town.settled, within=30)

    calls = town.telegram.calls(since=before)
    refused = [call["at"] for call in calls if call["code"] == 429]
    served = [call["at"] for call in calls if call["code"] == 200]
    assert 5 <= len(refused) <= 5 + 4 + 6
    assert len(served) == 30
    assert min(served) - refused[4] > 1.5


async def test_chats_refused_now_and_then_do_not_stop_the_bot(town: Town, replicas: list[BotLimits]) -> None:
    chats = [await town.link(user_id) for user_id in range(1, 21)]
    for chat in chats[::2]:
        town.telegram.script(chat, {"answer": "too_many_requests", "retry_after": 3})
    await town.plan(*(change for user_id in range(1, 21) for change in placed(user_id, user_id=user_id)))
    before = len(town.telegram.calls())

    await town.deliver(limits=replicas[0])

    calls = town.telegram.calls(since=before)
    first = min(call["at"] for call in calls)
    assert max(call["at"] for call in calls if call["chat_id"] in chats[1::2]) - first < 2.5


def most_in(calls: list[dict[str, Any]], seconds: float) -> int:
    """The most calls that any window of this length holds."""
    moments: list[float] = [call["at"] for call in calls]
    return max(sum(begin <= moment < begin + seconds for moment in moments) for begin in moments)
