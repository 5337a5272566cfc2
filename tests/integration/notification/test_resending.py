"""What an operator resends: shown first, done once, only where it still makes sense, and noted."""

from services.notification import bootstrap
from services.notification.service.resending import Resending
from tests.notification_fixtures import Town, a_chat, paid, placed

LOST = {"answer": "close", "method": "sendMessage"}


def resending(town: Town) -> Resending:
    return bootstrap.resending(town.pool.acquire)


async def proposed(town: Town) -> list[tuple[int, int, str]]:
    found = await resending(town).plan(order_id=None, rows_max=50)
    return [(each.order_id, each.version, each.resend) for each in found]


async def resend(town: Town) -> int:
    found = await resending(town).plan(order_id=None, rows_max=50)
    return await resending(town).execute(found, reason="the customer asked")


async def test_a_plan_shows_what_would_be_told_and_changes_nothing(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, LOST)
    await town.plan(*placed(42))
    await town.deliver()

    assert await proposed(town) == [(42, 2, "send card")]
    assert await town.states(42) == ["superseded", "uncertain"]


async def test_a_card_is_sent_again_once_and_noted(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, LOST)
    await town.plan(*placed(42))
    await town.deliver()

    done = await resend(town)
    await town.deliver()

    assert done == 1
    assert town.accepted(chat) == [("sendMessage", "o:42:2")] * 2
    assert await town.states(42) == ["superseded", "delivered"]
    assert await town.eye.fetch("select order_id, version, reason from resends") == [(42, 2, "the customer asked")]
    assert await proposed(town) == []


async def test_an_alert_is_sent_again_without_its_card(town: Town) -> None:
    chat = await town.link()
    await town.plan(*placed(42))
    await town.deliver()
    town.telegram.script(chat, LOST)
    await town.plan(paid(42))
    await town.deliver()

    assert await proposed(town) == [(42, 3, "send alert")]
    await resend(town)
    await town.deliver()

    assert town.accepted(chat)[1:] == [
        ("editMessageText", "o:42:3"),
        ("sendMessage", "o:42:3"),
        ("sendMessage", "o:42:3"),
    ]


async def test_what_a_newer_version_told_is_left_alone(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, LOST)
    await town.plan(*placed(42))
    await town.deliver()
    await town.plan(paid(42))
    await town.deliver()

    assert await proposed(town) == [(42, 2, "leave: version 3 was told since")]
    assert await resend(town) == 0
    assert await town.states(42) == ["superseded", "uncertain", "delivered"]


async def test_nobody_is_told_who_does_not_listen(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, LOST)
    await town.plan(*placed(42))
    await town.deliver()
    found = await resending(town).plan(order_id=42, rows_max=1)
    await town.eye.execute("update subscribers set active = false")

    assert await proposed(town) == [(42, 2, "leave: nobody is linked")]
    assert await resending(town).execute(found, reason="too late") == 0


async def test_what_is_resent_reaches_the_chat_that_is_linked_now(town: Town) -> None:
    former = await town.link()
    town.telegram.script(former, LOST)
    await town.plan(*placed(42))
    await town.deliver()
    new = await town.link(chat_id=a_chat(), move=True)

    await resend(town)
    await town.deliver()

    assert len(town.accepted(former)) == 1
    assert town.accepted(new) == [("sendMessage", "o:42:2")]


async def test_only_the_order_asked_for_is_shown(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, {**LOST, "times": 2})
    await town.plan(*placed(42), *placed(43))
    await town.deliver()

    found = await resending(town).plan(order_id=43, rows_max=50)

    assert [each.order_id for each in found] == [43]
