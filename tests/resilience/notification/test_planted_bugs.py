"""Bugs planted on purpose: each wrong collaborator must be caught by what the other tests look at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from services.notification import bootstrap
from services.notification.domain.message import Message
from services.notification.domain.outcome import Limited, Outcome, RetryLater, Uncertain
from services.notification.service.ports import Messenger
from tests.notification_fixtures import Town, a_chat, paid, placed, settings


@dataclass
class TakesDoubtForNo:
    """PB-20: a lost answer is treated as not sent."""

    inner: Messenger

    async def send(self, chat_id: int, message: Message) -> Outcome:
        return _without_doubt(await self.inner.send(chat_id, message))

    async def edit(self, chat_id: int, message_id: int, message: Message) -> Outcome:
        return _without_doubt(await self.inner.edit(chat_id, message_id, message))


@dataclass
class NeverWaits:
    """PB-21: what Telegram asks us to wait is ignored."""

    inner: Messenger

    async def send(self, chat_id: int, message: Message) -> Outcome:
        return _without_pause(await self.inner.send(chat_id, message))

    async def edit(self, chat_id: int, message_id: int, message: Message) -> Outcome:
        return _without_pause(await self.inner.edit(chat_id, message_id, message))


class RemembersChats:
    """PB-22: the chat an order was first told in is remembered across a re-link."""

    def __init__(self, inner: Messenger) -> None:
        self._inner = inner
        self._chats: dict[str, int] = {}

    async def send(self, chat_id: int, message: Message) -> Outcome:
        order = message.buttons[0].data.split(":")[1]
        return await self._inner.send(self._chats.setdefault(order, chat_id), message)

    async def edit(self, chat_id: int, message_id: int, message: Message) -> Outcome:
        return await self._inner.edit(chat_id, message_id, message)


Bug = type[TakesDoubtForNo | NeverWaits | RemembersChats] | None


@pytest.mark.parametrize(("bug", "sends"), [(None, 1), (TakesDoubtForNo, 2)])
async def test_pb_20_a_doubt_taken_for_no_is_caught_as_a_second_send(town: Town, bug: Bug, sends: int) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "close"})
    await town.plan(*placed(42))

    await deliver(town, bug)

    assert town.accepted(chat) == [("sendMessage", "o:42:2")] * sends


@pytest.mark.parametrize(("bug", "waited"), [(None, True), (NeverWaits, False)])
async def test_pb_21_a_pause_ignored_is_caught_by_the_clock(town: Town, bug: Bug, *, waited: bool) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "too_many_requests", "retry_after": 1})
    await town.plan(*placed(42))

    await deliver(town, bug)

    row = (await town.rows(42))[1]
    assert row["attempts"] == 2
    assert (row["finished_at"] - row["planned_at"] >= timedelta(seconds=1)) is waited


@pytest.mark.parametrize(("bug", "messages"), [(None, 1), (RemembersChats, 3)])
async def test_pb_22_a_chat_remembered_across_a_move_is_caught_in_the_former_chat(
    town: Town, bug: Bug, messages: int
) -> None:
    former = await town.link()
    await town.plan(*placed(42))
    async with messenger(town, bug) as channel:
        await town.deliver(messenger=channel)
        await town.link(chat_id=a_chat(), move=True)
        await town.plan(paid(42))

        await town.deliver(messenger=channel)

    assert len(town.accepted(former)) == messages


async def deliver(town: Town, bug: Bug) -> None:
    async with messenger(town, bug) as channel:
        await town.deliver(messenger=channel)


@asynccontextmanager
async def messenger(town: Town, bug: Bug) -> AsyncIterator[Messenger]:
    """The real messenger, inside the bug if there is one."""
    real = bootstrap.telegram_messenger(settings(town.telegram.url))
    await real.start()
    yield bug(real) if bug else real
    await real.stop()


def _without_doubt(outcome: Outcome) -> Outcome:
    return RetryLater(outcome.reason) if isinstance(outcome, Uncertain) else outcome


def _without_pause(outcome: Outcome) -> Outcome:
    return Limited(timedelta(0)) if isinstance(outcome, Limited) else outcome
