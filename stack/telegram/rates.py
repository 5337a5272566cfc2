"""How many messages the Bot API takes: per bot and per chat over a sliding second, per group over a sliding minute.

0 means no limit. A refused call costs nothing; `retry_after` is whole seconds, rounded up, as in the real API.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_SECOND, _MINUTE = 1.0, 60.0
_CHATS_WATCHED_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """What is enforced; the real service's are 30, 1 and 20."""

    bot_per_second: int = 0
    chat_per_second: int = 0
    group_per_minute: int = 0


UNLIMITED = RateLimits()
AS_TELEGRAM = RateLimits(bot_per_second=30, chat_per_second=1, group_per_minute=20)


class Rates:
    """Answers one question: may this chat get a message now, and if not, in how many seconds?"""

    def __init__(self, limits: RateLimits, *, monotonic: Callable[[], float]) -> None:
        self.limits = limits
        self._monotonic = monotonic
        self._bot: deque[float] = deque()
        self._chats: dict[int, deque[float]] = {}

    def take(self, chat_id: int) -> int | None:
        """Count one message; give the seconds to wait instead when a limit is reached."""
        now = self._monotonic()
        chat = self._chats.setdefault(chat_id, deque())
        wait = max(_wait(sent, count, seconds, now) for sent, count, seconds in self._windows(chat_id, chat))
        if wait > 0:
            return math.ceil(wait)
        self._bot.append(now)
        chat.append(now)
        self._forget(now)
        return None

    def _windows(self, chat_id: int, chat: deque[float]) -> Iterator[tuple[deque[float], int, float]]:
        yield self._bot, self.limits.bot_per_second, _SECOND
        yield chat, self.limits.chat_per_second, _SECOND
        if chat_id < 0:
            yield chat, self.limits.group_per_minute, _MINUTE

    def _forget(self, now: float) -> None:
        while self._bot[0] <= now - _SECOND:
            self._bot.popleft()
        if len(self._chats) > _CHATS_WATCHED_MAX:
            self._chats = {chat: sent for chat, sent in self._chats.items() if sent and sent[-1] > now - _MINUTE}


def _wait(sent: deque[float], limit: int, seconds: float, now: float) -> float:
    """How long until fewer than `limit` lie within the window that ends now; older than a minute is forgotten."""
    while sent and sent[0] <= now - _MINUTE:
        sent.popleft()
    if not limit or len(sent) < limit:
        return 0.0
    return sent[-limit] + seconds - now
