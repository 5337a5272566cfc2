"""Wrong parts: each does one thing that looks reasonable and breaks what people were promised."""

from dataclasses import dataclass, replace
from datetime import timedelta

from services.notification.domain.message import Message
from services.notification.domain.outcome import Limited, Outcome, RetryLater, Uncertain
from services.notification.repository.desk import PostgresLinks
from services.notification.service.desk import Desk
from services.notification.service.ports import Messenger


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


class NeverUsedUp(PostgresLinks):
    """PB-23: a link's token is good for ever."""

    async def use_up(self, link_id: int) -> None:
        """Forget to."""


def never_used_up(desk: Desk) -> Desk:
    """A desk at which tokens are good for ever."""
    assert isinstance(desk.links, PostgresLinks)
    return replace(desk, links=NeverUsedUp(desk.links.connection))


def _without_doubt(outcome: Outcome) -> Outcome:
    return RetryLater(outcome.reason) if isinstance(outcome, Uncertain) else outcome


def _without_pause(outcome: Outcome) -> Outcome:
    return Limited(timedelta(0)) if isinstance(outcome, Limited) else outcome
