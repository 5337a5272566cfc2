"""How many messages a second the Bot API takes: per bot and per chat, each over a sliding second.

0 means no limit. A refused call costs nothing; `retry_after` is whole seconds, rounded up, as in the real API.
"""

import math
from collections import deque
from collections.abc import Callable

_WINDOW_SECONDS = 1.0
_CHATS_WATCHED_MAX = 10_000


class Rates:
    """Answers one question: may this chat get a message now, and if not, in how many seconds?"""

    def __init__(self, *, bot_per_second: int, chat_per_second: int, monotonic: Callable[[], float]) -> None:
        self._bot_per_second = bot_per_second
        self._chat_per_second = chat_per_second
        self._monotonic = monotonic
        self._bot: deque[float] = deque()
        self._chats: dict[int, deque[float]] = {}

    def take(self, chat_id: int) -> int | None:
        """Count one message; give the seconds to wait instead when a limit is reached."""
        now = self._monotonic()
        chat = self._chats.setdefault(chat_id, deque()) if self._chat_per_second else deque[float]()
        wait = max(
            _wait(self._bot, self._bot_per_second, now),
            _wait(chat, self._chat_per_second, now),
        )
        if wait > 0:
            return math.ceil(wait)
        if self._bot_per_second:
            self._bot.append(now)
        chat.append(now)
        self._forget(now)
        return None

    def _forget(self, now: float) -> None:
        if len(self._chats) > _CHATS_WATCHED_MAX:
            self._chats = {
                chat: sent for chat, sent in self._chats.items() if sent and sent[-1] > now - _WINDOW_SECONDS
            }


def _wait(sent: deque[float], limit: int, now: float) -> float:
    while sent and sent[0] <= now - _WINDOW_SECONDS:
        sent.popleft()
    if not limit or len(sent) < limit:
        return 0.0
    return sent[0] + _WINDOW_SECONDS - now
