"""A restart, graceful or not, ends in the state the stand-in left: everything is in its log."""

from collections.abc import Callable
from pathlib import Path

import pytest
from telegram.error import BadRequest, Forbidden

from tests.integration.stack.conftest import bot_at
from tests.stand_in import StandIn, buttons

StartStandIn = Callable[..., StandIn]


async def test_a_killed_stand_in_remembers_chats_messages_and_numbers(start_stand_in: StartStandIn) -> None:
    stand_in = start_stand_in()
    async with bot_at(stand_in) as bot:
        card = await bot.send_message(7, "<b>placed</b>", "HTML", api_kwargs={"reply_markup": buttons([("Mute", "m")])})
        await bot.send_message(7, "to be deleted")
        await bot.delete_message(7, 2)
        await bot.edit_message_text("<b>paid</b>", 7, card.message_id, parse_mode="HTML")
        stand_in.block(8)
    before = stand_in.screen(7)

    stand_in.kill()
    stand_in.start()

    assert stand_in.screen(7) == before
    async with bot_at(stand_in) as bot:
        with pytest.raises(BadRequest, match="Message is not modified"):
            await bot.edit_message_text("<b>paid</b>", 7, card.message_id, parse_mode="HTML")
        with pytest.raises(Forbidden):
            await bot.send_message(8, "hello")
        assert (await bot.send_message(7, "next")).message_id == 3


async def test_unconfirmed_updates_wait_over_a_restart(start_stand_in: StartStandIn) -> None:
    stand_in = start_stand_in()
    stand_in.write(7, "first")
    stand_in.write(7, "second")
    async with bot_at(stand_in) as bot:
        [first, _] = await bot.get_updates()
        await bot.get_updates(offset=first.update_id + 1)

    stand_in.kill()
    stand_in.start()

    async with bot_at(stand_in) as bot:
        [update] = await bot.get_updates()
        stand_in.write(7, "third")
        [_, third] = await bot.get_updates()
    assert update.message is not None
    assert (update.message.text, third.update_id) == ("second", first.update_id + 2)


async def test_a_line_torn_by_a_kill_is_cut_off(start_stand_in: StartStandIn, tmp_path: Path) -> None:
    stand_in = start_stand_in()
    async with bot_at(stand_in) as bot:
        await bot.send_message(7, "whole")
    stand_in.kill()
    with (tmp_path / "accepted.jsonl").open("a") as log:
        log.write('{"at":"2026-11-21T08:00:00.000000Z","seq":2,"meth')

    stand_in.start()

    async with bot_at(stand_in) as bot:
        assert (await bot.send_message(7, "next")).message_id == 2
    assert [(line["seq"], line["text"]) for line in stand_in.accepted()] == [(1, "whole"), (2, "next")]


async def test_the_log_is_read_page_by_page_from_anywhere(start_stand_in: StartStandIn) -> None:
    stand_in = start_stand_in()
    async with bot_at(stand_in) as bot:
        for number in range(600):
            await bot.send_message(7, f"message {number}")
    stand_in.write(7, "the person's own words are not the bot's")

    assert [line["seq"] for line in stand_in.accepted(since=597)] == [598, 599, 600]
    assert [line["seq"] for line in stand_in.accepted()] == list(range(1, 601))
    assert stand_in.accepted(since=600) == []


def test_a_stop_by_signal_is_a_success(start_stand_in: StartStandIn) -> None:
    stand_in = start_stand_in()

    assert stand_in.stop() == 0
