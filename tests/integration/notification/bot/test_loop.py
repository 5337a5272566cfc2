"""The bot's loop over a Telegram and a database that misbehave, and over replicas that come and go."""

import asyncio
from dataclasses import replace

import pytest

from services.notification import bootstrap
from services.notification.service.delivery import BotStopped
from services.notification.service.desk import Desk
from tests.bot_fixtures import Away, OtherDesk, a_linked_person, a_person, an_invitation, bot, bot_settings
from tests.notification_fixtures import Town, placed
from tests.waiting import eventually, for_the_length_of_a_fault

HELLO = "No orders yet."


async def test_what_was_said_while_nobody_listened_is_answered(town: Town) -> None:
    anna = await a_linked_person(town)
    await anna.types("/orders")

    async with bot(town):
        await anna.sees(HELLO)


async def test_what_was_answered_is_not_answered_again_by_the_next_to_lead(town: Town) -> None:
    anna = await a_linked_person(town)
    async with bot(town):
        await anna.says("/orders")

    async with bot(town):
        await anna.says("/why")

    assert [said.split(" ")[0] for said in await anna.heard()] == ["No", "This"]


async def test_of_two_replicas_one_answers_and_they_never_both_ask(town: Town) -> None:
    anna = await a_linked_person(town)
    conflicts = town.telegram.updates()["conflicts"]

    async with (
        bot(town),
        bot(town),
    ):
        for place in range(1, 6):
            await anna.says("/orders")
            assert len(await anna.heard()) == place
        await for_the_length_of_a_fault(6)
        await anna.says("/orders")

    assert await anna.heard() == [HELLO] * 6
    assert town.telegram.updates()["conflicts"] == conflicts


async def test_a_replica_that_leaves_is_followed_at_once(town: Town) -> None:
    anna = await a_linked_person(town)

    async with bot(town, bot_lease_seconds=60.0):
        async with bot(town, bot_lease_seconds=60.0):
            await anna.says("/orders")
        await anna.says("/orders")

    assert await anna.heard() == [HELLO] * 2


async def test_a_reply_refused_for_now_is_made_later_and_others_do_not_wait(town: Town) -> None:
    anna, boris = await a_linked_person(town, 7), await a_linked_person(town, 8)
    town.telegram.script(anna.chat, {"answer": "too_many_requests", "retry_after": 1, "times": 2})

    async with bot(town):
        await anna.types("/orders")
        await boris.says("/orders")
        told_meanwhile = await anna.heard()
        await anna.sees(HELLO)

    assert told_meanwhile == []


async def test_a_reply_whose_answer_is_lost_is_not_sent_again(town: Town) -> None:
    anna = await a_linked_person(town)
    town.telegram.script(anna.chat, {"answer": "close"})

    async with bot(town):
        await anna.says("/orders")
        await anna.says("/why")

    assert len(await anna.heard()) == 2


@pytest.mark.parametrize("answer", ["close", "server_error", "html"])
async def test_an_edit_whose_answer_is_lost_is_made_again(town: Town, answer: str) -> None:
    anna, token = a_person(town), await an_invitation(town)

    async with bot(town):
        await anna.says(f"/start {token}")
        town.telegram.script(anna.chat, {"answer": answer, "accepted": False, "method": "editMessageText"})
        await anna.taps("No")
        await anna.sees("Nothing was linked.")


async def test_a_message_that_is_gone_is_answered_with_a_new_one(town: Town) -> None:
    anna, token = a_person(town), await an_invitation(town)

    async with bot(town):
        await anna.says(f"/start {token}")
        town.telegram.script(anna.chat, {"answer": "edit_not_found", "method": "editMessageText"})
        await anna.taps("No")
        await anna.sees("Nothing was linked.")

    assert len(await anna.heard()) == 2


async def test_an_answer_whose_markup_is_refused_is_given_as_plain_text(town: Town) -> None:
    anna = await a_linked_person(town)
    await town.plan(*placed(42))
    town.telegram.script(anna.chat, {"answer": "cannot_parse"})

    async with bot(town):
        said = await anna.says("/order 42")

    assert said == "🧾 Order 42 · 3 items\n🕐 Waiting for payment, 2026-11-21 14:03\nTimes are UTC."


async def test_a_bot_whose_token_is_refused_ends(town: Town) -> None:
    with pytest.raises(BotStopped):
        async with bot(town, telegram_token="1000000001:another") as running:
            await asyncio.wait([running], timeout=10)


async def test_an_update_nobody_can_handle_is_ended_and_keeps_no_other_waiting(town: Town) -> None:
    anna, boris = await a_linked_person(town, 7), await a_linked_person(town, 8)
    settings = bot_settings(town.telegram.url)
    updates = OtherDesk(bootstrap.bot_updates(town.pool.acquire, settings), stumbling_over_orders)
    await town.plan(*placed(42))
    await town.deliver()

    async with bot(town, updates=updates):
        ended = await anna.taps("Details")
        said = await boris.says("/why")

    assert ended == ""
    assert said.startswith("This chat is told")


def stumbling_over_orders(desk: Desk) -> Desk:
    """A fault of ours: there is no order book."""
    return replace(desk, orders=None)  # type: ignore[arg-type]  # the fault


async def test_a_database_that_goes_away_delays_and_loses_nothing(town: Town) -> None:
    anna = await a_linked_person(town)
    settings = bot_settings(town.telegram.url)
    updates = Away(bootstrap.bot_updates(town.pool.acquire, settings))

    async with bot(town, updates=updates):
        await anna.says("/orders")
        updates.away = True
        await anna.types("/why")
        await eventually(lambda: updates.refused >= 2)
        updates.away = False
        await anna.sees_begin("This chat is told")

    assert len(await anna.heard()) == 2
