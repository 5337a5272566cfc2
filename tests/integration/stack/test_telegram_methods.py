"""What a bot can do through the stand-in, said by the real client library."""

import asyncio

import httpx
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import ParseMode
from telegram.error import BadRequest, InvalidToken

from tests.integration.stack.conftest import bot_at
from tests.stand_in import StandIn


def keyboard(*data: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton("Details", callback_data=value) for value in data]])


async def test_a_bot_learns_its_name(bot: Bot) -> None:
    me = await bot.get_me()

    assert (me.id, me.username, me.is_bot) == (1000000001, "onelane_bot", True)


async def test_an_accepted_message_is_shown_and_logged(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    message = await bot.send_message(
        chat_id, "🧾 <b>Order 42</b> &amp; more", parse_mode="HTML", reply_markup=keyboard("o:42:1")
    )

    assert message.text == "🧾 Order 42 & more"
    assert [(entity.type, entity.offset, entity.length) for entity in message.entities] == [("bold", 3, 8)]
    [line] = stand_in.accepted(chat_id)
    assert (line["method"], line["message_id"], line["text"]) == ("sendMessage", 1, "🧾 Order 42 & more")
    assert line["payload"]["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "o:42:1"
    assert line["at"].endswith("Z")
    assert line["call_id"]


async def test_an_edit_replaces_the_message_in_place(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    card = await bot.send_message(chat_id, "placed", reply_markup=keyboard("o:42:1"))

    await bot.edit_message_text("paid", chat_id, card.message_id, reply_markup=keyboard("o:42:2"))

    [shown] = stand_in.screen(chat_id)
    assert shown["text"] == "paid"
    assert shown["edit_date"]
    assert [line["method"] for line in stand_in.accepted(chat_id)] == ["sendMessage", "editMessageText"]


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    card = await bot.send_message(chat_id, "paid", reply_markup=keyboard("o:42:2"))

    with pytest.raises(BadRequest, match=r"(?i)message is not modified"):
        await bot.edit_message_text("paid", chat_id, card.message_id, reply_markup=keyboard("o:42:2"))

    assert len(stand_in.accepted(chat_id)) == 1


async def test_buttons_change_without_the_text(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    card = await bot.send_message(chat_id, "<i>paid</i>", parse_mode=ParseMode.HTML, reply_markup=keyboard("a"))

    await bot.edit_message_reply_markup(chat_id, card.message_id, reply_markup=keyboard("b"))

    [shown] = stand_in.screen(chat_id)
    assert shown["text"] == "paid"
    assert shown["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "b"


async def test_a_deleted_message_is_gone(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    card = await bot.send_message(chat_id, "paid")

    await bot.delete_message(chat_id, card.message_id)

    assert stand_in.screen(chat_id) == []
    with pytest.raises(BadRequest, match=r"(?i)message to edit not found"):
        await bot.edit_message_text("cancelled", chat_id, card.message_id)
    with pytest.raises(BadRequest, match=r"(?i)message to delete not found"):
        await bot.delete_message(chat_id, card.message_id)


async def test_message_ids_count_per_chat(bot: Bot, chat_id: int) -> None:
    mine = await bot.send_message(chat_id, "one")
    other = await bot.send_message(chat_id + 500_000, "one")

    assert mine.message_id == other.message_id == 1


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (" ", "message text is empty"),
        ("x" * 4097, "message is too long"),
        ("🧾" * 2049, "message is too long"),
    ],
)
async def test_texts_nobody_could_read_are_refused(bot: Bot, chat_id: int, text: str, refusal: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i){refusal}"):
        await bot.send_message(chat_id, text)


async def test_the_longest_text_counts_what_people_see(bot: Bot, chat_id: int) -> None:
    message = await bot.send_message(chat_id, "<b>" + "x" * 4096 + "</b>", parse_mode="HTML")

    assert len(message.text or "") == 4096


async def test_a_button_carries_sixty_four_bytes_at_most(bot: Bot, chat_id: int) -> None:
    await bot.send_message(chat_id, "fits", reply_markup=keyboard("x" * 64))

    with pytest.raises(BadRequest, match="Button_data_invalid"):
        await bot.send_message(chat_id, "does not", reply_markup=keyboard("x" * 65))


@pytest.mark.parametrize("chat", ["@nobody", "0"])
async def test_a_chat_that_cannot_be_is_not_found(bot: Bot, chat: str) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(chat, "hello")


@pytest.mark.parametrize(
    ("token", "code", "description"),
    [("1000000001:someone-else", 401, "Unauthorized"), ("1000000001", 404, "Not Found")],
)
async def test_a_wrong_token_is_refused_as_the_real_one_does(
    stand_in: StandIn, token: str, code: int, description: str
) -> None:
    async with httpx.AsyncClient(base_url=stand_in.url) as client:
        answer = await client.get(f"/bot{token}/getMe")

    assert answer.status_code == code
    assert answer.json() == {"ok": False, "error_code": code, "description": description}
    with pytest.raises(InvalidToken):
        async with bot_at(stand_in, token=token):
            pytest.fail("the client asks who it is when it starts")


async def test_housekeeping_calls_are_answered(bot: Bot, chat_id: int) -> None:
    await bot.send_message(chat_id, "hello")

    assert await bot.set_my_commands([("orders", "my orders")])
    assert await bot.delete_webhook()
    assert (await bot.get_chat(chat_id)).type == "private"
    assert await bot.log_out()


async def test_an_unknown_method_is_not_found(bot: Bot) -> None:
    with pytest.raises(InvalidToken, match="method not found"):
        await bot._post("sendDice")


async def test_fifty_senders_at_once_lose_nothing(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    await asyncio.gather(*(bot.send_message(chat_id, f"message {number}") for number in range(50)))

    assert sorted(line["message_id"] for line in stand_in.accepted(chat_id)) == list(range(1, 51))
