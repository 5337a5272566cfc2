"""Makes replies: chats side by side, each chat's own in the order they were asked for.

Invariants: a tap is ended before anything else; a reply is forgotten when it is made or when nothing can make it; a
reply whose answer was lost is not made again, one that a crash cut off is.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from html import unescape
from re import compile as regex

from chassis.logs import get_logger
from services.notification import metrics
from services.notification.domain.message import Message
from services.notification.domain.outcome import (
    BotRefused,
    CardGone,
    Delivered,
    Limited,
    NotCalled,
    Outcome,
    RetryLater,
    Uncertain,
    Unparsable,
)
from services.notification.domain.reply import Addressed, Deed, EditButtons, EditMessage, SendMessage
from services.notification.domain.settlement import RetryPolicy
from services.notification.service.delivery import BotStopped
from services.notification.service.desk import Updates
from services.notification.service.ports import LedgerAway, Limits
from services.notification.telegram.messenger import TelegramMessenger

_TRIES_MAX = 10
_AWAY_SECONDS = 1.0
_MARKUP = regex(r"</?[a-z]+>")

log = get_logger()


class Replies:
    """Takes replies and makes them in the background; `broken` is set when Telegram no longer accepts the token."""

    def __init__(
        self, *, messenger: TelegramMessenger, updates: Updates, limits: Limits, retry: RetryPolicy, calls_max: int
    ) -> None:
        self._messenger = messenger
        self._updates = updates
        self._limits = limits
        self._retry = retry
        self._room = asyncio.Semaphore(calls_max)
        self._waiting: dict[int, deque[Addressed]] = {}
        self._in_hand: set[int] = set()
        self._chats: set[asyncio.Task[None]] = set()
        self.broken: BotStopped | None = None

    def take(self, addressed: Addressed) -> None:
        """Make this reply after those of the same chat that were taken before; one that is in hand is left alone."""
        if addressed.update_id in self._in_hand:
            return
        self._in_hand.add(addressed.update_id)
        queue = self._waiting.get(addressed.chat_id)
        if queue is not None:
            queue.append(addressed)
            return
        self._waiting[addressed.chat_id] = deque([addressed])
        task = asyncio.create_task(self._serve(addressed.chat_id))
        self._chats.add(task)
        task.add_done_callback(self._chats.discard)

    async def finish(self, seconds_max: float) -> None:
        """Wait for what was taken; what is not made by then is left to the next who leads."""
        if self._chats:
            await asyncio.wait(self._chats, timeout=seconds_max)
        for task in list(self._chats):
            task.cancel()
        if self._chats:
            await asyncio.wait(self._chats)

    async def _serve(self, chat_id: int) -> None:
        queue = self._waiting[chat_id]
        try:
            while queue:
                await self._make(queue.popleft())
        except BotStopped as stopped:
            self.broken = stopped
        finally:
            del self._waiting[chat_id]

    async def _make(self, addressed: Addressed) -> None:
        notice, deed = addressed.reply.notice, addressed.reply.deed
        query_id = addressed.query_id
        if query_id is not None:
            await self._tried("end_tap", lambda: self._messenger.end_tap(query_id, notice.text, stays=notice.stays))
        if deed is not None:
            await self._do(addressed.chat_id, deed)
        await self._forget(addressed)
        self._in_hand.discard(addressed.update_id)

    async def _do(self, chat_id: int, deed: Deed) -> None:
        outcome = await self._tried(_name(deed), lambda: self._within_limits(chat_id, deed))
        match outcome, deed:
            case CardGone(), EditMessage(_, message):
                await self._do(chat_id, SendMessage(message))
            case Unparsable(), SendMessage(message) if message.html:
                await self._do(chat_id, SendMessage(_plain(message)))
            case Unparsable(), EditMessage(message_id, message) if message.html:
                await self._do(chat_id, EditMessage(message_id, _plain(message)))

    async def _within_limits(self, chat_id: int, deed: Deed) -> Outcome:
        """Call if there is a slot: answers share Telegram's limits with cards and alerts."""
        hold = await self._limits.wait_for(chat_id)
        if hold:
            return NotCalled(hold, "limited")
        async with self._room:
            outcome = await self._call(chat_id, deed)
        await self._limits.heard(chat_id, outcome)
        return outcome

    async def _call(self, chat_id: int, deed: Deed) -> Outcome:
        match deed:
            case SendMessage(message):
                return await self._messenger.send(chat_id, message)
            case EditMessage(message_id, message):
                return await self._messenger.edit(chat_id, message_id, message)
            case EditButtons(message_id, buttons, per_row):
                return await self._messenger.edit_buttons(chat_id, message_id, buttons, per_row)

    async def _tried(self, what: str, call: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Call until it was not in vain, a few times; waiting for a slot is no try. Raises BotStopped.

        A lost answer counts as in vain where repeating changes nothing; a message is not sent again.
        """
        attempt = 0
        while (attempt := attempt + 1) <= _TRIES_MAX:
            outcome = await call()
            metrics.BOT_REPLIES.labels(what, type(outcome).__name__).inc()
            match outcome:
                case Delivered():
                    return outcome
                case NotCalled(after, _):
                    attempt -= 1
                    await asyncio.sleep(after.total_seconds())
                case Uncertain() if what == "send":
                    break
                case RetryLater() | Limited() | Uncertain():
                    await asyncio.sleep(self._pause(outcome, attempt).total_seconds())
                case BotRefused(reason):
                    raise BotStopped(reason)
                case _:
                    break
        log.warning("bot.reply_not_made", call=what, outcome=type(outcome).__name__)
        return outcome

    def _pause(self, outcome: Outcome, attempt: int) -> timedelta:
        asked = outcome.after if isinstance(outcome, Limited) else None
        return self._retry.delay(attempt) if asked is None else asked

    async def _forget(self, addressed: Addressed) -> None:
        while True:
            try:
                return await self._updates.made(addressed.update_id)
            except LedgerAway:
                await asyncio.sleep(_AWAY_SECONDS)


def _name(deed: Deed) -> str:
    return {SendMessage: "send", EditMessage: "edit", EditButtons: "edit_buttons"}[type(deed)]


def _plain(message: Message) -> Message:
    """Say the same without markup."""
    return replace(message, text=unescape(_MARKUP.sub("", message.text)), html=False)
