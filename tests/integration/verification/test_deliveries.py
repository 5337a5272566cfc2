"""The ledger held against what Telegram accepted: never, twice, unknown, turned back."""

from typing import TYPE_CHECKING
from uuid import uuid4

from tests.integration.verification.reports import LIFE, found
from verification.report import Kind, Tally

if TYPE_CHECKING:
    from tests.integration.verification.world import World


async def test_a_notification_on_its_way_is_told_and_no_fault(world: "World") -> None:
    [change] = await world.commit("new")
    await world.publish(change)
    await world.apply(change, state="planned", card="pending")

    report = await world.check()

    assert report.ok
    assert found(report) == [(Kind.UNFINISHED, "I-18", 1)]


async def test_a_delivery_telegram_never_accepted_is_found(world: "World") -> None:
    [change] = await world.commit("new")
    await world.publish(change)
    await world.apply(change)

    report = await world.check()

    assert found(report) == [(Kind.NEVER_ACCEPTED, "I-18", 1)]
    assert report.tallies.telegram == Tally(rows=1, missing=1)


async def test_an_uncertain_delivery_is_listed_and_no_fault(world: "World") -> None:
    [change] = await world.commit("new")
    await world.publish(change)
    await world.apply(change, state="uncertain", card="uncertain")

    report = await world.check()

    assert report.ok
    assert found(report) == [(Kind.UNCERTAIN, "I-18", 1)]
    assert report.findings[0].next_command == "onelane notify uncertain"


async def test_an_uncertain_delivery_that_was_accepted_is_matched(world: "World") -> None:
    [change] = await world.commit("new")
    await world.publish(change)
    await world.apply(change, state="uncertain", card="uncertain")
    await world.send(change)

    report = await world.check()

    assert report.findings == []
    assert report.tallies.telegram == Tally(rows=1, matched=1)


async def test_a_message_sent_twice_is_found(world: "World") -> None:
    *_, paid = await world.whole(*LIFE)
    await world.send_alert(paid)

    report = await world.check()

    assert found(report) == [(Kind.SENT_AGAIN, "I-18", 3)]
    assert report.findings[0].next_command == f"onelane notify attempts {paid.order_id}"


async def test_a_message_the_ledger_does_not_know_is_found(world: "World") -> None:
    [change] = await world.commit("new")
    await world.publish(change)
    await world.apply(change, state="no_subscriber", card="skipped")
    await world.send(change)

    report = await world.check()

    assert found(report) == [(Kind.PHANTOM_SEND, "I-18", 1)]


async def test_a_repeated_edit_is_no_second_send(world: "World") -> None:
    first, second = await world.commit("new", "awaiting payment")
    for change in (first, second):
        await world.publish(change)
        await world.apply(change)
    card = await world.send_card(first)
    await world.edit_card(second, card)
    await world.edit_card(type(second)(second.order_id, 2, "awaiting payment", uuid4(), second.at), card)

    report = await world.check()

    assert report.findings == []


async def test_a_card_turned_back_is_found(world: "World") -> None:
    first, second = await world.commit("new", "awaiting payment")
    for change in (first, second):
        await world.publish(change)
        await world.apply(change)
    card = await world.send_card(first)
    await world.edit_card(second, card)
    await world.edit_card(first, card)

    report = await world.check()

    assert found(report) == [(Kind.SENDS_ORDER, "I-19", 1)]


async def test_a_superseded_version_needs_no_message(world: "World") -> None:
    first, second = await world.commit("new", "awaiting payment")
    for change in (first, second):
        await world.publish(change)
    await world.apply(first, state="superseded", card="skipped")
    await world.apply(second)
    await world.send_card(second)

    report = await world.check()

    assert report.findings == []
    assert report.tallies.telegram == Tally(rows=1, matched=1)
