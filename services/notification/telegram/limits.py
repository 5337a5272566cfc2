"""How fast the Bot API may be called: the bot as a whole, each chat, each group; and what its 429s mean.

A 429 names no culprit. It pauses its chat alone; only when several chats in a row are refused and none is served in
between, it is the bot that has called too much, and the bot as a whole pauses.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from chassis.limits import Ask, Held, Limiter, Rate
from chassis.logs import get_logger
from services.notification import metrics
from services.notification.domain.outcome import BotRefused, Limited, NotCalled, Outcome, RetryLater, Uncertain

log = get_logger()

AHEAD_SECONDS = 0.15
"""How long a claimed call may wait for its slot: long enough that the line never runs dry between two turns of a
sender, short enough that hardly a row is `calling` without being called when a sender dies."""

_CHATS_REFUSED_MAX = 5
_PAUSE_UNSAID = timedelta(seconds=1)
_AT_ONCE = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotRates:
    """What Telegram takes from one bot."""

    bot: Rate
    chat: Rate
    group: Rate


def bot_rates(*, bot_per_second: int, chat_per_second: int, group_per_minute: int) -> BotRates:
    """Telegram's limits as rates: evenly spaced, save for a group, which may get an order's card and alert at once."""
    return BotRates(
        bot=Rate(calls=bot_per_second, seconds=1.0, margin=0.04),
        chat=Rate(calls=chat_per_second, seconds=1.0),
        group=Rate(calls=group_per_minute, seconds=60.0, burst=min(5, group_per_minute)),
    )


class BotLimits:
    """The limits of one bot over any limiter: shared by whoever calls through the same one."""

    def __init__(self, *, limiter: Limiter, rates: BotRates) -> None:
        self._limiter = limiter
        self._rates = rates
        self._bot = Ask(key="bot", rate=rates.bot, ahead_seconds=AHEAD_SECONDS)
        self._refused: set[int] = set()
        self._paused_until = 0.0

    async def room(self, calls_max: int) -> int:
        """Say how many slots of the bot come in the next moment, up to `calls_max`."""
        wait = await self._limiter.look(self._bot)
        if wait > AHEAD_SECONDS:
            return 0
        return min(calls_max, 1 + int((AHEAD_SECONDS - wait) / self._rates.bot.spacing_seconds))

    async def wait_for(self, chat_id: int) -> timedelta:
        """Take a slot of the bot, the chat and the group, wait until it comes and return zero; or return the hold."""
        answer = await self._limiter.take(self._bot, *self._of_chat(chat_id))
        if isinstance(answer, Held):
            metrics.HELD.labels(answer.by.partition(" ")[0]).inc()
            return timedelta(seconds=answer.wait_seconds)
        await asyncio.sleep(answer.wait_seconds)
        paused_seconds = self._paused_until - asyncio.get_running_loop().time()
        return timedelta(seconds=max(0.0, paused_seconds))

    async def heard(self, chat_id: int, outcome: Outcome) -> None:
        """Keep the pause a 429 asks for; call it the bot's when several chats in a row are refused."""
        match outcome:
            case Limited(after):
                await self._pause(chat_id, after or _PAUSE_UNSAID)
            case NotCalled() | RetryLater() | Uncertain() | BotRefused():
                pass
            case _:
                self._refused.clear()

    async def _pause(self, chat_id: int, after: timedelta) -> None:
        await self._limiter.pause(self._of_chat(chat_id)[0], after.total_seconds())
        self._refused.add(chat_id)
        if len(self._refused) < _CHATS_REFUSED_MAX:
            return
        self._refused.clear()
        metrics.BOT_PAUSES.inc()
        log.warning("limits.bot_paused", seconds=after.total_seconds())
        self._paused_until = asyncio.get_running_loop().time() + after.total_seconds()
        await self._limiter.pause(self._bot, after.total_seconds())

    def _of_chat(self, chat_id: int) -> list[Ask]:
        asks = [Ask(key=f"chat {chat_id}", rate=self._rates.chat)]
        if chat_id < 0:
            asks.append(Ask(key=f"group {chat_id}", rate=self._rates.group))
        return asks


class Unlimited:
    """No limit of our own: Telegram's answers alone slow us down, chat by chat."""

    async def room(self, calls_max: int) -> int:
        """Return all there is."""
        return calls_max

    async def wait_for(self, chat_id: int) -> timedelta:  # noqa: ARG002 - the port's signature; every chat is treated alike
        """Return zero: call at once."""
        return _AT_ONCE

    async def heard(self, chat_id: int, outcome: Outcome) -> None:
        """Learn nothing: the ledger keeps what a chat is to wait."""
