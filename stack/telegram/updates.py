"""What people did, waiting for the bot: messages, taps on buttons, blocking and coming back.

An update stays until the bot confirms it by asking for a later one. One long poll at a time: a newer one ends the
older with 409, as in the real API.
"""

import asyncio
from collections import deque
from typing import Any

from stack.telegram import refusals
from stack.telegram.chats import Chats, unix_seconds
from stack.telegram.journal import Entry
from stack.telegram.wire import BotIdentity, Json, chat_json, message_json, person_json

_UPDATES_KEPT_MAX = 10_000


class Updates:
    """The bot's queue; filled by applying lines of the log after `Chats` has applied them."""

    def __init__(self, *, bot: BotIdentity, chats: Chats) -> None:
        self._bot = bot
        self._chats = chats
        self._queue: deque[Json] = deque(maxlen=_UPDATES_KEPT_MAX)
        self._arrived = asyncio.Event()
        self._last_id = 0
        self._poll = 0
        self._open = 0
        self.conflicts = 0

    @property
    def next_id(self) -> int:
        """Number of the next update."""
        return self._last_id + 1

    @property
    def waiting(self) -> int:
        """How many updates the bot has not confirmed."""
        return len(self._queue)

    def apply(self, entry: Entry) -> None:
        """Queue what a person did, or drop what the bot confirmed."""
        if entry["method"] == "getUpdates":
            self._confirm(entry["offset"])
            return
        body = self._body(entry)
        if body is not None:
            self._last_id = entry["update_id"]
            self._queue.append({"update_id": entry["update_id"]} | body)
            self._arrived.set()

    def confirms(self, offset: int) -> bool:
        """Say whether asking from `offset` on drops anything."""
        return bool(self._queue) and self._queue[0]["update_id"] < offset

    async def wait(self, *, limit: int, timeout_seconds: float, allowed: frozenset[str]) -> list[Json]:
        """Give what waits, at once if there is something, otherwise as soon as it comes, `[]` after the time."""
        self.conflicts += self._open > 0
        self._open += 1
        try:
            return await self._found(limit, timeout_seconds, allowed)
        finally:
            self._open -= 1

    async def _found(self, limit: int, timeout_seconds: float, allowed: frozenset[str]) -> list[Json]:
        self._poll += 1
        mine = self._poll
        self._arrived.set()  # an older poll wakes up and finds itself replaced
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while True:
            found = [update for update in self._queue if not allowed or allowed & update.keys()][:limit]
            left = deadline - asyncio.get_running_loop().time()
            if found or left <= 0:
                return found
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except TimeoutError:
                return []
            if self._poll != mine:
                raise refusals.conflict()

    def _confirm(self, offset: int) -> None:
        while self._queue and self._queue[0]["update_id"] < offset:
            self._queue.popleft()

    def _body(self, entry: Entry) -> Json | None:
        chat = self._chats.get(entry["chat_id"]) if "chat_id" in entry else None
        if chat is None:
            return None
        match entry["method"]:
            case "user.message":
                return {"message": message_json(chat, chat.messages[entry["message_id"]], self._bot)}
            case "user.tap":
                return {"callback_query": self._tap(entry)}
            case "user.block" | "user.unblock":
                return {"my_chat_member": self._membership(entry)}
        return None

    def _tap(self, entry: Entry) -> Json:
        chat = self._chats.get(entry["chat_id"])
        message = chat.messages.get(entry["message_id"])
        shown: Json = {"message_id": entry["message_id"], "chat": chat_json(chat), "date": 0}
        return {
            "id": entry["query_id"],
            "from": person_json(chat),
            "message": shown if message is None else message_json(chat, message, self._bot),
            "chat_instance": str(entry["chat_id"]),
            "data": entry["data"],
        }

    def _membership(self, entry: Entry) -> dict[str, Any]:
        left = entry["method"] == "user.block"
        member, gone = (
            {"user": self._bot.user(), "status": "member"},
            {
                "user": self._bot.user(),
                "status": "kicked",
                "until_date": 0,
            },
        )
        chat = self._chats.get(entry["chat_id"])
        return {
            "chat": chat_json(chat),
            "from": person_json(chat),
            "date": unix_seconds(entry),
            "old_chat_member": member if left else gone,
            "new_chat_member": gone if left else member,
        }
