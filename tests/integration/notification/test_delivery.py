"""From a planned row to a person's phone, with the real ledger and a real Bot API."""

from tests.notification_fixtures import Town, paid, placed


async def test_a_burst_is_shown_as_its_last_state(town: Town) -> None:
    chat = await town.link()
    await town.plan(*placed(42))

    await town.deliver()

    assert town.accepted(chat) == [("sendMessage", "o:42:2")]
    assert await town.states(42) == ["superseded", "delivered"]


async def test_a_paid_order_edits_its_card_and_makes_a_sound(town: Town) -> None:
    chat = await town.link()
    await town.plan(*placed(42))
    await town.deliver()

    await town.plan(paid(42))
    await town.deliver()

    assert town.accepted(chat) == [
        ("sendMessage", "o:42:2"),
        ("editMessageText", "o:42:3"),
        ("sendMessage", "o:42:3"),
    ]
    assert [message["text"] for message in town.telegram.screen(chat)] == [
        "🧾 Order 42 · 3 items\n✅ Placed 14:03   ✅ Paid 14:03   ▫️ Assembled",
        "✅ Order 42 is paid.",
    ]
    assert await town.states(42) == ["superseded", "delivered", "delivered"]
    card = await town.card(42)
    assert (card["wanted_version"], card["shown_version"]) == (3, 3)
