"""Every button: what it does, for whom, how often, and what becomes of one that is forged, foreign or old."""

import asyncio

import pytest

from services.notification.domain.change import Status
from services.notification.domain.seal import Seal
from services.notification.service.desk import Cancellation
from tests.bot_fixtures import Person, Pressable, ScriptedOrders, a_linked_person, a_person, an_invitation, bot
from tests.notification_fixtures import Town, a_change, paid, placed
from tests.stand_in import TOKEN
from tests.waiting import eventually

STALE = "This button is too old. /orders shows where things stand."
USUAL = ["Details", "🔕 Mute ▾", "Cancel order"]


async def a_person_with_a_card(town: Town, user_id: int = 7, order_id: int = 42) -> Person:
    """Somebody in whose chat lies the card of a placed order."""
    anna = await a_linked_person(town, user_id)
    await town.plan(*placed(order_id, user_id=user_id))
    await town.deliver()
    return anna


async def shows(anna: Person, buttons: list[str]) -> None:
    """Wait until the newest buttons are these."""

    async def so() -> bool:
        found = await anna.buttons()
        assert found == buttons
        return True

    await eventually(so, every=0.05)


async def test_details_are_told_over_the_chat_and_leave_it_as_it_is(town: Town) -> None:
    anna = await a_person_with_a_card(town)

    async with bot(town):
        told = await anna.taps("Details")
        notice = town.telegram.phone(anna.chat)["notice"]

    assert told == "Order 42 · 3 items\n🕐 Waiting for payment, 2026-11-21 14:03\nTimes are UTC."
    assert notice["alert"] is True
    assert town.accepted(anna.chat) == [("sendMessage", "o:42:2")]


async def test_details_under_an_alert_tell_the_same_story(town: Town) -> None:
    anna = await a_person_with_a_card(town)
    await town.plan(paid(42))
    await town.deliver()

    async with bot(town):
        told = await anna.taps("Details")

    assert told.split("\n")[-2:] == ["✅ Paid, 2026-11-21 14:03", "Times are UTC."]


async def test_details_are_told_in_russian_too(town: Town) -> None:
    boris = await a_linked_person(town)
    await town.eye.execute("update subscribers set language = 'ru'")
    await town.plan(*placed(42))
    await town.deliver()

    async with bot(town):
        told = await boris.taps("Подробнее")

    assert told == "Заказ 42 · 3 товара\n🕐 Ждёт оплаты, 21.11.2026 14:03\nВремя — UTC."


async def test_the_longest_story_fits_a_notice(town: Town) -> None:
    boris = await a_linked_person(town)
    await town.eye.execute("update subscribers set language = 'ru'")
    order_id = 2**63 - 1
    steps = [Status.NEW, Status.AWAITING_PAYMENT, Status.CANCELLED]
    await town.plan(*(a_change(order_id, place, step, items=2**62) for place, step in enumerate(steps, 1)))
    await town.deliver()

    async with bot(town):
        told = await boris.taps("Подробнее")

    assert told.endswith("Время — UTC.")
    assert len(told) <= 200


async def test_mute_opens_in_place_and_closes_again(town: Town) -> None:
    anna = await a_person_with_a_card(town)

    async with bot(town):
        await anna.taps("🔕 Mute ▾")
        await shows(anna, ["This order", "All, 1 hour", "All, 8 hours", "All", "🔔 Sound on", "‹ Back"])
        await anna.taps("‹ Back")
        await shows(anna, USUAL)

    assert await town.eye.fetchval("select count(*) from mutes") == 0


async def test_one_order_is_silenced_and_no_other(town: Town) -> None:
    anna = await a_person_with_a_card(town)

    async with bot(town):
        await anna.taps("🔕 Mute ▾")
        said = await anna.taps("This order")
        await shows(anna, USUAL)
    await town.plan(paid(42), *placed(43), paid(43))
    await town.deliver()

    assert said == "🔕 Order 42 makes no sound."
    alerts = {line["text"]: is_silent(line) for line in town.telegram.accepted(anna.chat) if line["text"][0] == "✅"}
    assert alerts == {"✅ Order 42 is paid.": True, "✅ Order 43 is paid.": False}


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("All, 1 hour", "🔕 Nothing makes a sound until "),
        ("All, 8 hours", "🔕 Nothing makes a sound until "),
        ("All", "🔕 Nothing makes a sound until you say otherwise."),
    ],
)
async def test_everything_can_be_silenced_from_a_card_and_heard_again(town: Town, choice: str, said: str) -> None:
    anna = await a_person_with_a_card(town)

    async with bot(town):
        await anna.taps("🔕 Mute ▾")
        silenced = await anna.taps(choice)
        await shows(anna, USUAL)
        await anna.taps("🔕 Mute ▾")
        heard = await anna.taps("🔔 Sound on")

    assert silenced.startswith(said)
    assert heard == "🔔 Sound is on."


async def test_an_order_is_cancelled_only_after_a_second_word(town: Town) -> None:
    anna, orders = await a_person_with_a_card(town), ScriptedOrders()

    async with bot(town, orders=orders):
        question = await anna.taps("Cancel order")
        await shows(anna, ["Yes, cancel it", "No, keep it"])
        asked_before = list(orders.asked)
        said = await anna.taps("Yes, cancel it")
        await shows(anna, USUAL[:2])

    assert (question, said) == ("Really cancel order 42?", "Order 42 is being cancelled.")
    assert (asked_before, orders.asked) == ([], [42])


async def test_an_order_is_kept_when_its_owner_says_so(town: Town) -> None:
    anna, orders = await a_person_with_a_card(town), ScriptedOrders()

    async with bot(town, orders=orders):
        await anna.taps("Cancel order")
        await anna.taps("No, keep it")
        await shows(anna, USUAL)

    assert orders.asked == []


@pytest.mark.parametrize(
    ("answer", "said", "buttons"),
    [
        (Cancellation.TOO_LATE, "Order 42 can no longer be cancelled.", USUAL[:2]),
        (Cancellation.AWAY, "Orders cannot be reached right now. Please try again in a moment.", USUAL),
    ],
)
async def test_a_cancelling_that_fails_is_told_with_its_reason(
    town: Town, answer: Cancellation, said: str, buttons: list[str]
) -> None:
    anna = await a_person_with_a_card(town)

    async with bot(town, orders=ScriptedOrders(says=answer)):
        await anna.taps("Cancel order")
        assert await anna.taps("Yes, cancel it") == said
        await shows(anna, buttons)


async def test_an_order_paid_meanwhile_is_not_offered_for_cancelling(town: Town) -> None:
    anna, orders = await a_person_with_a_card(town), ScriptedOrders()
    await town.plan(paid(42))

    async with bot(town, orders=orders):
        assert await anna.taps("Cancel order") == "Order 42 can no longer be cancelled."
        await shows(anna, USUAL[:2])

    assert orders.asked == []


async def test_the_answer_to_order_has_the_same_buttons(town: Town) -> None:
    anna, orders = await a_linked_person(town), ScriptedOrders()
    await town.plan(*placed(42))

    async with bot(town, orders=orders):
        await anna.says("/order 42")
        await shows(anna, USUAL)
        await anna.taps("Cancel order")
        await anna.taps("Yes, cancel it")

    assert orders.asked == [42]
    assert town.accepted(anna.chat) == []


BUTTONS = ["Details", "🔕 Mute ▾", "Cancel order"]


@pytest.mark.parametrize("label", BUTTONS)
async def test_a_button_copied_into_another_chat_does_nothing_there(town: Town, label: str) -> None:
    anna, orders = await a_person_with_a_card(town), ScriptedOrders()
    eve = await a_person_with_a_card(town, user_id=8, order_id=43)
    copied = await anna.button(label)

    async with bot(town, orders=orders):
        said = await eve.sends(Pressable(1, copied.data))

    assert said == STALE
    assert orders.asked == []
    assert await town.eye.fetchval("select count(*) from mutes") == 0


@pytest.mark.parametrize("action", ["d", "a", "m", "t", "h", "w", "e", "u", "c", "x", "b"])
async def test_a_button_of_a_former_owner_does_nothing_any_more(town: Town, action: str) -> None:
    """Sealed by us for this very chat, for an order whose owner is told elsewhere."""
    await a_person_with_a_card(town, user_id=8, order_id=43)
    eve, orders = await a_person_with_a_card(town), ScriptedOrders()
    data = Seal(TOKEN).seal(eve.chat, f"o:43:2:{action}")

    async with bot(town, orders=orders):
        said = await eve.sends(Pressable(1, data))

    assert said == "You have no order 43."
    assert orders.asked == []
    assert await town.eye.fetchval("select count(*) from mutes") == 0


@pytest.mark.parametrize(
    "data", ["o:42:2:d", "o:42:2:d:AAAAAAAAAAAA", "", "x", "o:42:2", ":" * 64, "l:ru", "y:1", "g:e", "🧾" * 16]
)
async def test_what_nobody_sealed_is_answered_and_does_nothing(town: Town, data: str) -> None:
    anna = await a_person_with_a_card(town)

    async with bot(town):
        assert await anna.sends(Pressable(1, data)) == STALE

    assert await town.eye.fetchval("select language from subscribers") == "en"


@pytest.mark.parametrize("data", ["o:42:2:z", "q:1", "g:d", "p:x", "y:x", "o:9999999999999999999:1:d"])
async def test_a_sealed_button_nobody_makes_any_more_is_answered_as_old(town: Town, data: str) -> None:
    anna = await a_person_with_a_card(town)

    async with bot(town):
        assert await anna.sends(Pressable(1, Seal(TOKEN).seal(anna.chat, data))) == STALE


async def test_a_stranger_who_taps_learns_how_to_link(town: Town) -> None:
    eve = a_person(town)
    data = Seal(TOKEN).seal(eve.chat, "o:42:2:d")

    async with bot(town):
        said = await eve.sends(Pressable(1, data))

    assert said == "This chat is not linked to an account. Open the link your shop shows you and confirm it here."


async def test_an_offer_is_confirmed_by_nobody_but_the_chat_that_opened_it(town: Town) -> None:
    anna, eve, token = a_person(town), a_person(town), await an_invitation(town)

    async with bot(town):
        await anna.says(f"/start {token}")
        yes = await anna.button("✅ Yes, tell me")
        await eve.sends(Pressable(1, yes.data))
        link_id = await town.eye.fetchval("select link_id from link_tokens")
        await eve.sends(Pressable(1, Seal(TOKEN).seal(eve.chat, f"y:{link_id}")))

    assert await town.eye.fetchval("select count(*) from subscribers") == 0


async def test_a_tap_told_twice_at_once_is_done_once_and_ended_twice(town: Town) -> None:
    anna = await a_person_with_a_card(town)
    mute = await anna.button("🔕 Mute ▾")
    both = [asyncio.create_task(anna.sends(mute)) for _ in range(2)]

    async with bot(town):
        ended = await asyncio.gather(*both)
        await shows(anna, ["This order", "All, 1 hour", "All, 8 hours", "All", "🔔 Sound on", "‹ Back"])

    assert list(ended) == ["", ""]


async def test_an_order_cancelled_by_two_taps_is_cancelled_once(town: Town) -> None:
    anna, orders = await a_person_with_a_card(town), ScriptedOrders()

    async with bot(town, orders=orders):
        await anna.taps("Cancel order")
        await shows(anna, ["Yes, cancel it", "No, keep it"])
        yes = await anna.button("Yes, cancel it")
        ended = await asyncio.gather(anna.sends(yes), anna.sends(yes))

    assert list(ended) == ["Order 42 is being cancelled."] * 2


async def test_a_menu_open_while_the_card_changes_gives_way_to_the_card(town: Town) -> None:
    anna = await a_person_with_a_card(town)

    async with bot(town):
        await anna.taps("Cancel order")
        await shows(anna, ["Yes, cancel it", "No, keep it"])
        stale = await anna.button("No, keep it")
        await town.plan(paid(42))
        await town.deliver()
        await anna.sends(stale)

    card = town.telegram.screen(anna.chat)[0]
    assert card["text"].endswith("✅ Paid 14:03   ▫️ Assembled")
    assert [button["text"] for row in card["reply_markup"]["inline_keyboard"] for button in row] == USUAL[:2]


def is_silent(line: dict[str, object]) -> bool:
    payload = line["payload"]
    assert isinstance(payload, dict)
    return str(payload.get("disable_notification")).lower() == "true"
