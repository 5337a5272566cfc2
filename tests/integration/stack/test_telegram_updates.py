"""What people do reaches the bot by long poll, once it asks, and again until it confirms."""

import asyncio

import httpx
import pytest
from telegram import Bot
from telegram.error import BadRequest, Conflict

from tests.integration.stack.conftest import bot_at
from tests.stand_in import StandIn, buttons


async def drained(bot: Bot) -> int:
    """Confirm everything that waits; the offset to go on from."""
    waiting = await bot.get_updates()
    offset = waiting[-1].update_id + 1 if waiting else 0
    await bot.get_updates(offset=offset)
    return offset


async def test_a_written_command_arrives_as_one(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    offset = await drained(bot)

    stand_in.write(chat_id, "/start Abc-123")
    [update] = await bot.get_updates(offset=offset)

    assert update.message is not None
    assert update.message.from_user is not None
    assert (update.message.text, update.message.chat_id, update.message.from_user.id) == (
        "/start Abc-123",
        chat_id,
        chat_id,
    )
    assert [(entity.type, entity.length) for entity in update.message.entities] == [("bot_command", 6)]


async def test_a_waiting_poll_is_answered_when_somebody_writes(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    offset = await drained(bot)
    poll = asyncio.create_task(bot.get_updates(offset=offset, timeout=20))

    await asyncio.to_thread(stand_in.write, chat_id, "hello")

    [update] = await poll
    assert update.message is not None
    assert update.message.text == "hello"


async def test_a_poll_ends_empty_after_its_time(bot: Bot) -> None:
    offset = await drained(bot)

    assert await bot.get_updates(offset=offset, timeout=1) == ()


async def test_an_update_comes_again_until_it_is_confirmed(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    offset = await drained(bot)
    stand_in.write(chat_id, "hello")

    [first] = await bot.get_updates(offset=offset)
    [again] = await bot.get_updates(offset=offset)
    after = await bot.get_updates(offset=first.update_id + 1)

    assert first.update_id == again.update_id
    assert after == ()


async def test_a_newer_poll_ends_the_older(bot: Bot, stand_in: StandIn) -> None:
    offset = await drained(bot)
    async with bot_at(stand_in) as other:
        older = asyncio.create_task(bot.get_updates(offset=offset, timeout=20))
        newer = None
        while not older.done():
            newer = await other.get_updates(offset=offset)

    assert newer == ()
    with pytest.raises(Conflict, match="only one bot instance"):
        await older


async def test_a_tap_arrives_and_its_answer_reaches_the_phone(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    offset = await drained(bot)
    card = await bot.send_message(chat_id, "order 42", api_kwargs={"reply_markup": buttons([("Mute", "o:42:1:mute")])})
    async with httpx.AsyncClient(base_url=stand_in.url) as phone:
        tap = asyncio.create_task(
            phone.post(f"/_/phone/{chat_id}/tap", json={"message_id": card.message_id, "data": "o:42:1:mute"})
        )
        [update] = await bot.get_updates(offset=offset, timeout=10)
        assert update.callback_query is not None
        await bot.answer_callback_query(update.callback_query.id, text="muted")
        answer = (await tap).json()

    assert (update.callback_query.data, update.callback_query.from_user.id) == ("o:42:1:mute", chat_id)
    assert answer == {"answered": True, "text": "muted"}


async def test_only_buttons_that_are_shown_can_be_tapped(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    card = await bot.send_message(chat_id, "order 42")

    async with httpx.AsyncClient(base_url=stand_in.url) as phone:
        answer = await phone.post(f"/_/phone/{chat_id}/tap", json={"message_id": card.message_id, "data": "o:43:1"})

    assert answer.status_code == 422


async def test_an_unknown_tap_cannot_be_answered(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query("4242")


async def test_blocking_and_coming_back_are_told(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    offset = await drained(bot)

    stand_in.block(chat_id)
    stand_in.block(chat_id, blocked=False)
    updates = await bot.get_updates(offset=offset, allowed_updates=["my_chat_member"])

    changes = [update.my_chat_member for update in updates if update.my_chat_member]
    assert [change.new_chat_member.status for change in changes] == ["kicked", "member"]


async def test_the_word_that_ends_a_tap_is_seen_on_the_phone(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    offset = await drained(bot)
    card = await bot.send_message(chat_id, "order 42", api_kwargs={"reply_markup": buttons([("Details", "d")])})
    tapped = asyncio.create_task(asyncio.to_thread(stand_in.tap, chat_id, card.message_id, "Details"))
    [update] = await bot.get_updates(offset=offset, timeout=5)
    assert update.callback_query is not None

    await update.callback_query.answer("paid at 14:03", show_alert=True)

    assert await tapped == "paid at 14:03"
    notice = stand_in.phone(chat_id)["notice"]
    assert (notice["text"], notice["alert"]) == ("paid at 14:03", True)


async def test_a_word_longer_than_a_phone_shows_is_refused(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    offset = await drained(bot)
    card = await bot.send_message(chat_id, "order 42", api_kwargs={"reply_markup": buttons([("Details", "d")])})
    tapped = asyncio.create_task(asyncio.to_thread(stand_in.tap, chat_id, card.message_id, "Details"))
    [update] = await bot.get_updates(offset=offset, timeout=5)
    assert update.callback_query is not None

    with pytest.raises(BadRequest, match="Message_too_long"):
        await update.callback_query.answer("я" * 201)
    await update.callback_query.answer("я" * 200)

    assert await tapped == "я" * 200


async def test_a_button_that_is_not_shown_is_tapped_only_by_who_says_so(
    bot: Bot, stand_in: StandIn, chat_id: int
) -> None:
    offset = await drained(bot)
    card = await bot.send_message(chat_id, "order 42")
    tapped = asyncio.create_task(asyncio.to_thread(stand_in.tap_data, chat_id, card.message_id, "forged"))

    [update] = await bot.get_updates(offset=offset, timeout=5)

    assert update.callback_query is not None
    assert update.callback_query.data == "forged"
    await update.callback_query.answer()
    assert await tapped == ""


async def test_the_phones_language_comes_with_what_is_written(bot: Bot, stand_in: StandIn, chat_id: int) -> None:
    offset = await drained(bot)
    stand_in.speak(chat_id, "ru")

    stand_in.write(chat_id, "привет")
    [update] = await bot.get_updates(offset=offset)

    assert update.message is not None
    assert update.message.from_user is not None
    assert update.message.from_user.language_code == "ru"


async def test_a_question_asked_while_one_is_open_is_counted(bot: Bot, stand_in: StandIn) -> None:
    offset = await drained(bot)
    before = stand_in.updates()["conflicts"]
    first = asyncio.create_task(bot.get_updates(offset=offset, timeout=20))
    await asyncio.to_thread(stand_in.screen, 1)

    async with bot_at(stand_in) as other:
        await other.get_updates(offset=offset)

    with pytest.raises(Conflict):
        await first
    assert stand_in.updates()["conflicts"] == before + 1
