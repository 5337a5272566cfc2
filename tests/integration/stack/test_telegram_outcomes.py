"""Every way a call can end badly, as the real client library meets it, and what the acceptance log says of it."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from tests.integration.stack.conftest import bot_at
from tests.stand_in import StandIn


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ({"answer": "chat_not_found"}, BadRequest("Chat not found")),
        ({"answer": "not_modified"}, BadRequest("Message is not modified")),
        ({"answer": "edit_not_found"}, BadRequest("Message to edit not found")),
        ({"answer": "cannot_parse"}, BadRequest("Can't parse entities")),
        ({"answer": "too_long"}, BadRequest("Message is too long")),
        ({"answer": "blocked"}, Forbidden("bot was blocked by the user")),
        ({"answer": "deactivated"}, Forbidden("user is deactivated")),
        ({"answer": "unauthorized"}, InvalidToken("Unauthorized")),
        ({"answer": "not_found"}, InvalidToken("Not Found")),
        ({"answer": "error", "error_code": 400, "description": "Bad Request: odd"}, BadRequest("Odd")),
        ({"answer": "too_many_requests"}, NetworkError("Too Many Requests")),
    ],
)
async def test_a_refusal_leaves_nothing_behind(
    bot: Bot, stand_in: StandIn, chat_id: int, step: dict[str, Any], error: TelegramError
) -> None:
    stand_in.script(chat_id, step)

    with pytest.raises(type(error), match=error.message):
        await bot.send_message(chat_id, "hello")

    assert stand_in.accepted(chat_id) == []
    assert (await bot.send_message(chat_id, "hello")).message_id == 1


async def test_too_many_requests_say_when_to_come_back(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    stand_in.script(chat_id, {"answer": "too_many_requests", "retry_after": 3})

    with pytest.raises(RetryAfter) as refused:
        await bot.send_message(chat_id, "hello")

    assert refused.value.retry_after == timedelta(seconds=3)


async def test_a_migrated_chat_names_its_new_number(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    stand_in.script(-chat_id, {"answer": "migrate", "migrate_to": -1_000_000 - chat_id})

    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(-chat_id, "hello")

    assert moved.value.new_chat_id == -1_000_000 - chat_id
    assert (await bot.send_message(moved.value.new_chat_id, "hello")).chat.type == "supergroup"


async def test_a_closed_connection_hides_that_the_message_was_accepted(
    bot: Bot, stand_in: StandIn, chat_id: int
) -> None:
    stand_in.script(chat_id, {"answer": "close"})

    with pytest.raises(NetworkError) as lost:
        await bot.send_message(chat_id, "hello")

    assert isinstance(lost.value.__cause__, httpx.RemoteProtocolError)
    assert [line["text"] for line in stand_in.accepted(chat_id)] == ["hello"]
    assert [message["text"] for message in stand_in.screen(chat_id)] == ["hello"]


async def test_silence_hides_that_the_message_was_accepted(stand_in: StandIn, chat_id: int) -> None:
    stand_in.script(chat_id, {"answer": "silence"})

    async with bot_at(stand_in, read_timeout=0.2) as bot:
        with pytest.raises(TimedOut) as lost:
            await bot.send_message(chat_id, "hello")

    assert isinstance(lost.value.__cause__, httpx.ReadTimeout)
    assert len(stand_in.accepted(chat_id)) == 1


@pytest.mark.parametrize("code", [500, 502, 504])
async def test_a_server_error_hides_that_the_message_was_accepted(
    bot: Bot, stand_in: StandIn, chat_id: int, code: int
) -> None:
    stand_in.script(chat_id, {"answer": "server_error", "error_code": code})

    with pytest.raises(NetworkError, match="Internal Server Error"):
        await bot.send_message(chat_id, "hello")

    assert len(stand_in.accepted(chat_id)) == 1


@pytest.mark.parametrize("code", [200, 502])
async def test_a_page_instead_of_json_hides_that_the_message_was_accepted(
    bot: Bot, stand_in: StandIn, chat_id: int, code: int
) -> None:
    stand_in.script(chat_id, {"answer": "html", "error_code": code})

    with pytest.raises(TelegramError, match=r"Invalid server response|Parsing the server response"):
        await bot.send_message(chat_id, "hello")

    assert len(stand_in.accepted(chat_id)) == 1


@pytest.mark.parametrize("answer", ["close", "html", "server_error"])
async def test_an_answer_may_be_lost_before_anything_was_accepted(
    bot: Bot, stand_in: StandIn, chat_id: int, answer: str
) -> None:
    stand_in.script(chat_id, {"answer": answer, "accepted": False})

    with pytest.raises(NetworkError):
        await bot.send_message(chat_id, "hello")

    assert stand_in.accepted(chat_id) == []


async def test_a_closed_connection_does_not_disturb_the_other_chats(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    stand_in.script(chat_id, {"answer": "close", "times": 5})

    answers = await asyncio.gather(
        *(bot.send_message(chat, "hello") for chat in [chat_id, chat_id + 700_000] * 5), return_exceptions=True
    )

    assert [isinstance(answer, NetworkError) for answer in answers] == [True, False] * 5


async def test_a_slow_answer_comes(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    stand_in.script(chat_id, {"answer": "ok", "delay_seconds": 0.2})

    call = asyncio.create_task(bot.send_message(chat_id, "hello"))

    assert (await call).text == "hello"


async def test_a_step_counts_and_may_wait_for_its_method(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    stand_in.script(
        chat_id,
        {"answer": "edit_not_found", "method": "editMessageText", "times": 2},
        {"answer": "blocked", "times": None},
    )
    card = await bot.send_message(chat_id, "placed")

    for _ in range(2):
        with pytest.raises(BadRequest, match=r"(?i)message to edit not found"):
            await bot.edit_message_text("paid", chat_id, card.message_id)

    for _ in range(3):
        with pytest.raises(Forbidden):
            await bot.send_message(chat_id, "paid")


async def test_a_blocked_bot_stays_blocked_until_start(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    stand_in.write(chat_id, "/start")
    stand_in.block(chat_id)

    with pytest.raises(Forbidden, match="bot was blocked"):
        await bot.send_message(chat_id, "hello")
    stand_in.write(chat_id, "/start")

    assert (await bot.send_message(chat_id, "hello")).text == "hello"


@pytest.mark.parametrize(
    "steps",
    [
        [{"answer": "nonsense"}],
        [{"answer": "migrate"}],
        [{"answer": "ok", "timez": 2}],
        [{"answer": "ok", "times": 0}],
        [{"answer": "ok", "times": -1}],
        [{"answer": "ok", "delay_seconds": "long"}],
        "ok",
    ],
)
def test_a_script_that_cannot_be_followed_is_refused(stand_in: StandIn, chat_id: int, steps: object) -> None:
    answer = httpx.post(f"{stand_in.url}/_/script", json={"chat_id": chat_id, "steps": steps})

    assert answer.status_code == 422
    assert "step" in answer.json()["error"]


def test_a_lever_takes_json_only(stand_in: StandIn, chat_id: int) -> None:
    answer = httpx.post(f"{stand_in.url}/_/phone/{chat_id}/message", content=b'{"text": "/stop"}')

    assert answer.status_code == 422
    assert "application/json" in answer.json()["error"]
