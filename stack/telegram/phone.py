"""The phones: what a person sees and does, for the page at `/` and for tests that play a person."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson

from stack.telegram.bell import Bell
from stack.telegram.bot_api import BotApi
from stack.telegram.chats import Chat, Chats
from stack.telegram.menu import Menu
from stack.telegram.taps import Taps
from stack.telegram.updates import Updates
from stack.telegram.wire import BotIdentity, Json, message_json, person_name

PHONES_MAX = 60
_MESSAGES_SENT = 30
_SETTLE_SECONDS = 0.15
_KEEP_ALIVE_SECONDS = 15.0
_ANSWER_SECONDS_MAX = 5.0


class NoSuchButton(Exception):
    """The person cannot tap what the message does not show."""


class Phone:
    """One object plays everybody: chats are told apart by their id."""

    def __init__(
        self, *, bot: BotIdentity, bot_api: BotApi, chats: Chats, updates: Updates, taps: Taps, bell: Bell, menu: Menu
    ) -> None:
        self._bot = bot
        self._bot_api = bot_api
        self._chats = chats
        self._updates = updates
        self._taps = taps
        self._bell = bell
        self._menu = menu

    def write(self, chat_id: int, text: str) -> Json:
        """Send a text to the bot; `/start` also unblocks it. Gives the message."""
        if self._chats.get(chat_id).blocked and text.startswith("/start"):
            self.block(chat_id, blocked=False)
        message_id = self._chats.get(chat_id).last_message_id + 1
        self._bot_api.record(self._act("user.message", chat_id) | {"message_id": message_id, "text": text})
        chat = self._chats.get(chat_id)
        return message_json(chat, chat.messages[message_id], self._bot)

    async def tap(self, chat_id: int, message_id: int, data: str, *, unseen: bool) -> str | None:
        """Tap the button that carries `data`; gives what the bot answered, None if it did not in five seconds.

        `unseen`: whether the message shows the button or not, as a forged client could, or a finger that was too slow.
        """
        if not unseen and data not in _buttons(self._chats.get(chat_id), message_id):
            raise NoSuchButton(data)
        act = self._act("user.tap", chat_id)
        query_id = str(act["update_id"])
        self._taps.open(query_id, chat_id)
        self._bot_api.record(act | {"message_id": message_id, "data": data, "query_id": query_id})
        return await self._taps.wait(query_id, _ANSWER_SECONDS_MAX)

    def block(self, chat_id: int, *, blocked: bool) -> None:
        """Stop the bot, or let it write again."""
        if self._chats.get(chat_id).blocked != blocked:
            self._bot_api.record(self._act("user.block" if blocked else "user.unblock", chat_id))

    def speak(self, chat_id: int, language: str) -> None:
        """Set the phone to a language; it is told to the bot with whatever the person does next."""
        self._bot_api.record({"method": "user.language", "chat_id": chat_id, "language": language})

    def chat(self, chat_id: int) -> Json:
        """Give one phone's screen."""
        return self._screen(self._chats.get(chat_id))

    async def events(self, *, limit: int, pinned: frozenset[int]) -> AsyncIterator[bytes]:
        """Stream screens as they change (server-sent events): first the most recent ones, then what moves."""
        seen = self._newest()
        first = [self._chats.get(chat) for chat in pinned]
        yield self._event(first or self._chats.recent(limit))
        while True:
            if seen == self._newest() and not await self._rings():
                yield b": still here\n\n"
                continue
            await asyncio.sleep(_SETTLE_SECONDS)
            changed, seen = self._chats.changed_since(seen, PHONES_MAX), self._newest()
            yield self._event([chat for chat in changed if not pinned or chat.chat_id in pinned][:limit])

    def _newest(self) -> int:
        newest = self._chats.recent(1)
        return newest[0].changed_seq if newest else 0

    async def _rings(self) -> bool:
        try:
            await asyncio.wait_for(self._bell.wait(), _KEEP_ALIVE_SECONDS)
        except TimeoutError:
            return False
        return True

    def _act(self, method: str, chat_id: int) -> dict[str, Any]:
        return {"method": method, "chat_id": chat_id, "update_id": self._updates.next_id}

    def _event(self, chats: list[Chat]) -> bytes:
        body = {"total": self._chats.count(), "chats": [self._screen(chat) for chat in chats]}
        return b"data: " + orjson.dumps(body) + b"\n\n"

    def _screen(self, chat: Chat) -> Json:
        newest = list(chat.messages.values())[-_MESSAGES_SENT:]
        return {
            "chat_id": chat.chat_id,
            "name": person_name(chat.chat_id),
            "blocked": chat.blocked,
            "language": chat.language,
            "notice": chat.notice,
            "commands": self._menu.of(chat.language),
            "changed": chat.changed_seq,
            "messages": [message_json(chat, message, self._bot) for message in newest],
        }


def _buttons(chat: Chat, message_id: int) -> set[str]:
    message = chat.messages.get(message_id)
    rows = (message.markup or {}).get("inline_keyboard", []) if message else []
    return {button.get("callback_data") for row in rows for button in row}
