"""Every way a call can end, against the real Bot API's stand-in: what is accepted, and what the ledger says of it."""

import asyncio
from itertools import pairwise

import pytest

from services.notification.domain.change import Status
from services.notification.service.delivery import BotStopped
from tests.notification_fixtures import Town, a_change, paid, placed
from tests.waiting import eventually


async def shown(town: Town, order_id: int = 42) -> int:
    """Place an order whose card is delivered; the chat."""
    chat = await town.link()
    await town.plan(*placed(order_id))
    await town.deliver()
    return chat


async def test_what_telegram_asks_us_to_wait_is_waited_to_the_second(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "too_many_requests", "retry_after": 1})
    await town.plan(*placed(42))

    await town.deliver()

    row = (await town.rows(42))[1]
    assert row["state"] == "delivered"
    assert row["attempts"] == 2
    assert (row["finished_at"] - row["planned_at"]).total_seconds() > 1.0


async def test_one_chats_limit_does_not_stop_another(town: Town) -> None:
    limited, free = await town.link(7), await town.link(8)
    town.telegram.script(limited, {"answer": "too_many_requests", "retry_after": 30})
    await town.plan(*placed(42, user_id=7), *placed(43, user_id=8))

    async with town.sender():
        await eventually(lambda: town.accepted(free) == [("sendMessage", "o:43:2")])

    assert town.accepted(limited) == []
    assert await town.states(42) == ["superseded", "planned"]


async def test_too_many_requests_without_a_time_is_tried_again_on_our_own_terms(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "too_many_requests"})
    await town.plan(*placed(42))

    await town.deliver()

    assert town.accepted(chat) == [("sendMessage", "o:42:2")]


@pytest.mark.parametrize("lost", ["server_error", "html", "close", "silence"])
async def test_a_first_card_whose_answer_is_lost_is_uncertain_and_not_resent(town: Town, lost: str) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": lost})
    await town.plan(*placed(42))

    await town.deliver()

    assert town.accepted(chat) == [("sendMessage", "o:42:2")]
    assert await town.states(42) == ["superseded", "uncertain"]


async def test_a_later_version_of_an_uncertain_card_is_a_card_of_its_own(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "close"})
    await town.plan(*placed(42))
    await town.deliver()

    await town.plan(paid(42))
    await town.deliver()

    assert town.accepted(chat) == [
        ("sendMessage", "o:42:2"),
        ("sendMessage", "o:42:3"),
        ("sendMessage", "o:42:3"),
    ]
    assert await town.states(42) == ["superseded", "uncertain", "delivered"]


@pytest.mark.parametrize("lost", ["server_error", "html", "close", "silence"])
async def test_an_edit_whose_answer_is_lost_is_repeated_until_it_is_known(town: Town, lost: str) -> None:
    chat = await shown(town)
    town.telegram.script(chat, {"answer": lost, "method": "editMessageText"})
    await town.plan(paid(42))

    await town.deliver()

    assert await town.states(42) == ["superseded", "delivered", "delivered"]
    assert town.accepted(chat)[1:] == [("editMessageText", "o:42:3"), ("sendMessage", "o:42:3")]


async def test_an_alert_whose_answer_is_lost_is_uncertain_and_its_card_is_not_touched_again(town: Town) -> None:
    chat = await shown(town)
    town.telegram.script(chat, {"answer": "ok", "method": "editMessageText"}, {"answer": "close"})
    await town.plan(paid(42))

    await town.deliver()

    row = (await town.rows(42))[2]
    assert (row["state"], row["card_step"], row["alert_step"]) == ("uncertain", "done", "uncertain")
    assert town.accepted(chat)[1:] == [("editMessageText", "o:42:3"), ("sendMessage", "o:42:3")]


async def test_a_retried_alert_does_not_repeat_the_card(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "ok"}, {"answer": "too_many_requests"})
    await town.plan(a_change(42, 1, Status.FAILED))

    await town.deliver()

    assert town.accepted(chat) == [("sendMessage", "o:42:1"), ("sendMessage", "o:42:1")]
    assert len(town.telegram.screen(chat)) == 2


async def test_a_card_that_was_deleted_is_replaced_by_a_new_one(town: Town) -> None:
    chat = await shown(town)
    town.telegram.script(chat, {"answer": "edit_not_found", "method": "editMessageText"})
    await town.plan(paid(42))

    await town.deliver()

    assert town.accepted(chat)[1:] == [("sendMessage", "o:42:3"), ("sendMessage", "o:42:3")]
    assert await town.states(42) == ["superseded", "delivered", "delivered"]


async def test_an_edit_that_changes_nothing_is_delivered(town: Town) -> None:
    chat = await shown(town)
    town.telegram.script(chat, {"answer": "not_modified", "method": "editMessageText"})
    await town.plan(paid(42))

    await town.deliver()

    assert await town.states(42) == ["superseded", "delivered", "delivered"]


async def test_refused_markup_goes_out_once_more_as_plain_text(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "cannot_parse"})
    await town.plan(*placed(42))

    await town.deliver()

    (line,) = town.telegram.accepted(chat)
    assert line["text"].startswith("🧾 Order 42 · 3 items")
    assert "parse_mode" not in line["payload"]


async def test_a_chat_that_does_not_exist_fails_and_is_not_tried_for_ever(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "chat_not_found", "times": None})
    await town.plan(*placed(42))

    await town.deliver()

    row = (await town.rows(42))[1]
    assert (row["state"], row["attempts"], row["reason"]) == ("failed", 1, "Chat not found")
    town.telegram.script(chat)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (400, "Bad Request: message is too long"),
        (403, "Forbidden: not enough rights to send text messages to the chat"),
        (409, "Conflict: terminated by other getUpdates request"),
        (413, "Request Entity Too Large"),
    ],
)
async def test_any_other_refusal_in_telegrams_words_fails_the_row_at_the_first_attempt(
    town: Town, code: int, said: str
) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "error", "error_code": code, "description": said})
    await town.plan(*placed(42))

    await town.deliver()

    assert [(row["state"], row["attempts"]) for row in await town.rows(42)] == [("superseded", 0), ("failed", 1)]
    assert town.accepted(chat) == []


async def test_a_card_that_can_no_longer_be_edited_is_replaced_by_a_new_one(town: Town) -> None:
    chat = await shown(town)
    too_old = {"answer": "error", "error_code": 400, "description": "Bad Request: message can't be edited"}
    town.telegram.script(chat, too_old | {"method": "editMessageText"})
    await town.plan(paid(42))

    await town.deliver()

    assert town.accepted(chat)[1:] == [("sendMessage", "o:42:3"), ("sendMessage", "o:42:3")]


async def test_markup_refused_even_as_plain_text_fails_the_row(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "cannot_parse", "times": 2})
    await town.plan(*placed(42))

    await town.deliver()

    row = (await town.rows(42))[1]
    assert (row["state"], row["attempts"], row["reason"]) == ("failed", 2, "refused even as plain text")


async def test_an_edit_whose_answer_is_lost_for_ever_is_uncertain_in_the_end(town: Town) -> None:
    chat = await shown(town)
    town.telegram.script(chat, {"answer": "close", "accepted": False, "method": "editMessageText", "times": None})
    await town.plan(a_change(42, 3, Status.NEW))

    await town.deliver(lost_edits_max=2)

    assert await town.states(42) == ["superseded", "delivered", "uncertain"]
    assert (await town.rows(42))[2]["attempts"] == 3
    town.telegram.script(chat)


async def test_a_first_card_lost_before_anything_was_accepted_is_uncertain_all_the_same(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "close", "accepted": False})
    await town.plan(*placed(42))

    await town.deliver()

    assert town.accepted(chat) == []
    assert await town.states(42) == ["superseded", "uncertain"]


@pytest.mark.parametrize("gone", ["blocked", "deactivated", "kicked"])
async def test_a_subscriber_who_is_gone_is_not_called_again_until_linked_anew(town: Town, gone: str) -> None:
    chat = await town.link()
    kicked = {"answer": "error", "error_code": 403, "description": "Forbidden: bot was kicked from the group chat"}
    town.telegram.script(chat, kicked if gone == "kicked" else {"answer": gone})
    await town.plan(*placed(42), *placed(43))
    await town.deliver()

    assert await town.states(42) == ["superseded", "failed"]
    assert await town.states(43) == ["no_subscriber", "no_subscriber"]

    await town.link(chat_id=chat)
    await town.plan(*placed(44))
    await town.deliver()

    assert town.accepted(chat) == [("sendMessage", "o:44:2")]


async def test_a_chat_that_moved_is_followed(town: Town) -> None:
    old, new = await town.link(), -1_000_000_000 - 42
    town.telegram.script(old, {"answer": "migrate", "migrate_to": new})
    await town.plan(*placed(42), *placed(43))

    await town.deliver()

    assert town.accepted(old) == []
    assert town.accepted(new) == [("sendMessage", "o:42:2"), ("sendMessage", "o:43:2")]
    assert await town.eye.fetchval("select chat_id from subscribers where user_id = 7") == new


@pytest.mark.parametrize("refusal", ["unauthorized", "not_found"])
async def test_a_refused_token_stops_the_sender_and_loses_nothing(town: Town, refusal: str) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": refusal})
    await town.plan(*placed(42))

    with pytest.raises(BotStopped, match="NOTIFICATION_TELEGRAM_TOKEN"):
        await town.deliver()
    assert await town.states(42) == ["superseded", "planned"]

    await town.deliver()

    assert town.accepted(chat) == [("sendMessage", "o:42:2")]


async def test_chats_are_served_in_parallel_and_each_in_order(town: Town) -> None:
    chats = {user_id: await town.link(user_id) for user_id in range(1, 11)}
    orders = {order: order % 10 + 1 for order in range(1, 61)}
    await town.plan(*(change for order, user_id in orders.items() for change in placed(order, user_id=user_id)))
    await town.plan(*(paid(order, user_id=user_id) for order, user_id in orders.items()))

    await town.deliver()

    lines = await asyncio.to_thread(town.telegram.accepted)
    for user_id, chat in chats.items():
        mine = [line for line in lines if line["chat_id"] == chat]
        assert {line["chat_id"] for line in mine} == {chat}
        assert len(mine) == 2 * sum(owner == user_id for owner in orders.values())
    for order, user_id in orders.items():
        versions = [
            int(named.rpartition(":")[2])
            for method, named in town.accepted(chats[user_id])
            if named.startswith(f"o:{order}:") and method == "sendMessage"
        ]
        assert all(one <= other for one, other in pairwise(versions))
