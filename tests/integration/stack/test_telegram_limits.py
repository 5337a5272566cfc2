"""Rates and known chats are settings: off unless asked for."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from telegram.error import BadRequest, NetworkError, RetryAfter

from tests.integration.stack.conftest import bot_at
from tests.stand_in import StandIn
from tests.waiting import eventually

StartStandIn = Callable[..., StandIn]


async def test_a_chat_takes_its_rate_and_then_names_the_wait(start_stand_in: StartStandIn) -> None:
    stand_in = start_stand_in("--chat-per-second", "1")
    async with bot_at(stand_in) as bot:
        await bot.send_message(7, "first")

        with pytest.raises(RetryAfter) as refused:
            await bot.send_message(7, "too soon")
        other = await bot.send_message(8, "another chat is not held up")

        assert refused.value.retry_after == timedelta(seconds=1)
        assert other.message_id == 1
        assert [line["text"] for line in stand_in.accepted(7)] == ["first"]


async def test_a_chat_takes_the_next_message_after_a_second(start_stand_in: StartStandIn) -> None:
    stand_in = start_stand_in("--chat-per-second", "1")
    async with bot_at(stand_in) as bot:
        await bot.send_message(7, "first")

        async def sent() -> bool:
            try:
                await bot.send_message(7, "second")
            except RetryAfter:
                return False
            return True

        assert await eventually(sent, within=5, every=0.1)

        assert [line["text"] for line in stand_in.accepted(7)] == ["first", "second"]


async def test_all_chats_share_the_rate_of_the_bot(start_stand_in: StartStandIn) -> None:
    stand_in = start_stand_in("--bot-per-second", "3")
    async with bot_at(stand_in) as bot:
        for chat in (7, 8, 9):
            await bot.send_message(chat, "hello")

        with pytest.raises(RetryAfter):
            await bot.send_message(10, "hello")


async def test_a_group_takes_its_rate_a_minute_and_people_are_not_counted(start_stand_in: StartStandIn) -> None:
    stand_in = start_stand_in("--group-per-minute", "2")
    async with bot_at(stand_in) as bot:
        for chat in (-7, -7, 8, 8, 8):
            await bot.send_message(chat, "hello")

        with pytest.raises(RetryAfter) as refused:
            await bot.send_message(-7, "too soon")

        assert refused.value.retry_after in {timedelta(seconds=59), timedelta(seconds=60)}


async def test_the_limits_of_the_real_service_are_one_switch(start_stand_in: StartStandIn) -> None:
    stand_in = start_stand_in("--limits", "--chat-per-second", "0")
    async with bot_at(stand_in) as bot:
        for _ in range(20):
            await bot.send_message(-7, "hello")

        with pytest.raises(RetryAfter):
            await bot.send_message(-7, "the twenty-first")


async def test_limits_are_changed_while_it_runs(start_stand_in: StartStandIn) -> None:
    stand_in = start_stand_in("--limits")
    stand_in.limit()
    async with bot_at(stand_in) as bot:
        await bot.send_message(7, "first")
        await bot.send_message(7, "second")
        stand_in.limit(chat_per_second=2)

        with pytest.raises(RetryAfter):
            await bot.send_message(7, "third")


async def test_every_call_is_listed_with_its_moment_and_answer(start_stand_in: StartStandIn) -> None:
    stand_in = start_stand_in("--chat-per-second", "1")
    stand_in.script(8, {"answer": "close"})
    async with bot_at(stand_in) as bot:
        await bot.send_message(7, "first")
        with pytest.raises(RetryAfter):
            await bot.send_message(7, "too soon")
        with pytest.raises(NetworkError):
            await bot.send_message(8, "lost")

    calls = stand_in.calls()
    assert [(call["chat_id"], call["code"], call["retry_after"]) for call in calls] == [
        (7, 200, None),
        (7, 429, 1),
        (8, 0, None),
    ]
    assert calls[0]["at"] < calls[1]["at"] < calls[2]["at"]
    assert [call["code"] for call in stand_in.calls(since=1)] == [429, 0]


async def test_a_strict_stand_in_knows_only_who_wrote_first(start_stand_in: StartStandIn) -> None:
    stand_in = start_stand_in("--strict-chats")
    stand_in.write(7, "/start")
    async with bot_at(stand_in) as bot:
        await bot.send_message(7, "hello")

        with pytest.raises(BadRequest, match="Chat not found"):
            await bot.send_message(8, "hello")
