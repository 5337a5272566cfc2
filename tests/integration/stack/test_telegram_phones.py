"""The page of phones: self-contained, live, escaped, and calm when a thousand people are told at once."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from telegram import Bot, Message

from tests.integration.stack.conftest import bot_at
from tests.stand_in import StandIn


@asynccontextmanager
async def watching(stand_in: StandIn, **query: int) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The live events as the page receives them."""
    async with (
        httpx.AsyncClient(base_url=stand_in.url, timeout=20) as browser,
        browser.stream("GET", "/_/phone/events", params=query) as answer,
    ):
        lines = answer.aiter_lines()
        yield (json.loads(line.removeprefix("data: ")) async for line in lines if line.startswith("data: "))


def texts(event: dict[str, Any], chat_id: int) -> list[str]:
    return [m["text"] for chat in event["chats"] if chat["chat_id"] == chat_id for m in chat["messages"]]


async def test_the_page_needs_nothing_from_elsewhere(stand_in: StandIn) -> None:
    async with httpx.AsyncClient(base_url=stand_in.url) as browser:
        page, again = await browser.get("/"), await browser.get("/")

    policy = page.headers["content-security-policy"]
    [nonce] = re.findall(r"script-src 'nonce-([^']+)'", policy)
    assert "default-src 'none'" in policy
    assert set(re.findall(r'nonce="([^"]*)"', page.text)) == {nonce}
    assert re.findall(r"(?:src|href)=", page.text) == []
    assert "innerHTML" not in page.text
    assert again.headers["content-security-policy"] != policy


async def test_a_message_and_its_edit_appear_as_they_happen(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    async with watching(stand_in, chat=chat_id) as events:
        assert texts(await anext(events), chat_id) == []

        card = await bot.send_message(chat_id, "placed")
        assert texts(await anext(events), chat_id) == ["placed"]

        await bot.edit_message_text("paid", chat_id, card.message_id)
        assert texts(await anext(events), chat_id) == ["paid"]


async def test_a_watcher_of_one_chat_sees_no_other(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    async with watching(stand_in, chat=chat_id) as events:
        await anext(events)
        await bot.send_message(chat_id + 300_000, "for somebody else")
        await bot.send_message(chat_id, "for me")

        seen = await anext(events)
        while not seen["chats"]:
            seen = await anext(events)

    assert [chat["chat_id"] for chat in seen["chats"]] == [chat_id]


async def test_a_thousand_chats_show_the_most_recently_active(start_stand_in: Callable[..., StandIn]) -> None:
    stand_in = start_stand_in()
    async with bot_at(stand_in) as bot:
        for chat in range(1, 1001):
            await bot.send_message(chat, "hello")

    async with watching(stand_in, limit=12) as events:
        first = await anext(events)

    assert first["total"] == 1000
    assert [chat["chat_id"] for chat in first["chats"]] == list(range(1000, 988, -1))


async def test_a_phone_shows_the_newest_messages_only(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    for number in range(70):
        await bot.send_message(chat_id, f"message {number}")

    shown = stand_in.screen(chat_id)

    assert len(shown) == 30
    assert shown[-1]["text"] == "message 69"


async def test_an_edit_of_a_message_out_of_sight_is_still_judged(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    card = await bot.send_message(chat_id, "placed")
    for number in range(70):
        await bot.send_message(chat_id, f"message {number}")

    edited = await bot.edit_message_text("paid", chat_id, card.message_id)

    assert isinstance(edited, Message)
    assert edited.text == "paid"
    assert stand_in.accepted(chat_id)[-1]["text"] == "paid"


async def test_a_phone_speaks_its_language_to_the_bot_and_offers_the_commands_in_it(
    bot: Bot, stand_in: StandIn, chat_id: int
) -> None:
    await bot.set_my_commands([("orders", "your orders")])
    await bot.set_my_commands([("orders", "ваши заказы")], language_code="ru")
    english = stand_in.phone(chat_id)["commands"]

    stand_in.speak(chat_id, "ru")

    assert english == [{"command": "orders", "description": "your orders"}]
    assert stand_in.phone(chat_id)["commands"] == [{"command": "orders", "description": "ваши заказы"}]
    assert [command.description for command in await bot.get_my_commands(language_code="ru")] == ["ваши заказы"]


async def test_a_language_is_a_code(stand_in: StandIn, chat_id: int) -> None:
    async with httpx.AsyncClient(base_url=stand_in.url) as browser:
        answer = await browser.post(f"/_/phone/{chat_id}/language", json={"language": "Russian"})

    assert answer.status_code == 422


async def test_a_group_has_a_phone_too(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    await bot.send_message(-chat_id, "good morning")

    assert [message["text"] for message in stand_in.screen(-chat_id)] == ["good morning"]


async def test_a_chat_is_a_number(stand_in: StandIn) -> None:
    async with httpx.AsyncClient(base_url=stand_in.url) as browser:
        assert (await browser.get("/_/phone/anna")).status_code == 422
