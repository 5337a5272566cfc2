"""Who is told where: linking, moving, and what is planned meanwhile."""

import pytest

from services.notification.service.subscriptions import LinkedElsewhere
from tests.notification_fixtures import Town, a_chat, paid, placed


async def test_a_link_moves_only_when_asked_to(town: Town) -> None:
    chat = await town.link()

    with pytest.raises(LinkedElsewhere, match="user 7 is linked to another chat"):
        await town.link(chat_id=a_chat())

    assert await town.eye.fetchval("select chat_id from subscribers where user_id = 7") == chat


async def test_linking_the_same_chat_again_changes_nothing(town: Town) -> None:
    chat = await town.link()

    assert await town.link(chat_id=chat) == chat


async def test_what_was_planned_before_a_move_reaches_the_new_chat_only(town: Town) -> None:
    old = await town.link()
    await town.plan(*placed(42), paid(42))
    new = await town.link(chat_id=a_chat(), move=True)

    await town.deliver()

    assert town.accepted(old) == []
    assert town.accepted(new) == [("sendMessage", "o:42:3"), ("sendMessage", "o:42:3")]


async def test_a_card_in_the_former_chat_is_left_there_and_a_new_one_is_sent(town: Town) -> None:
    old = await town.link()
    await town.plan(*placed(42))
    await town.deliver()
    new = await town.link(chat_id=a_chat(), move=True)
    await town.plan(paid(42))

    await town.deliver()

    assert town.accepted(old) == [("sendMessage", "o:42:2")]
    assert town.accepted(new) == [("sendMessage", "o:42:3"), ("sendMessage", "o:42:3")]


async def test_an_older_version_left_at_the_former_chat_is_told_first(town: Town) -> None:
    old = await town.link()
    await town.plan(*placed(42), paid(42))
    new = await town.link(chat_id=a_chat(), move=True)
    await town.plan(*placed(43))
    await town.eye.execute("update notifications set seq = default where order_id = 42")

    await town.deliver()

    assert town.accepted(old) == []
    assert [named for _, named in town.accepted(new)] == ["o:43:2", "o:42:3", "o:42:3"]
