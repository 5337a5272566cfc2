"""Shapes of the Bot API's objects: how a chat, a message and an update look in JSON."""

from dataclasses import dataclass
from typing import Any

from stack.telegram.chats import Chat, Message
from stack.telegram.html_text import utf16_length

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BotIdentity:
    """Who the bot is: the number before the colon of its token, and its names."""

    bot_id: int
    username: str = "onelane_bot"
    name: str = "onelane"

    def user(self) -> Json:
        """Give the bot as a `User`."""
        return {"id": self.bot_id, "is_bot": True, "first_name": self.name, "username": self.username}

    def me(self) -> Json:
        """Give what `getMe` answers."""
        return self.user() | {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }


def chat_json(chat: Chat) -> Json:
    """Give the `Chat` every message carries."""
    if chat.kind == "private":
        return {"id": chat.chat_id, "type": "private", "first_name": person_name(chat.chat_id)}
    return {"id": chat.chat_id, "type": chat.kind, "title": f"Group {-chat.chat_id}"}


def person_json(chat: Chat) -> Json:
    """Give the person at the other end of a private chat, with the language of the phone."""
    name = person_name(chat.chat_id)
    return {"id": abs(chat.chat_id), "is_bot": False, "first_name": name, "language_code": chat.language}


def person_name(chat_id: int) -> str:
    """Name a made-up person after the chat."""
    return f"Customer {abs(chat_id)}"


def message_json(chat: Chat, message: Message, bot: BotIdentity) -> Json:
    """Give the `Message` that `sendMessage` and edits answer with."""
    formatted = message.formatted()
    body: Json = {
        "message_id": message.message_id,
        "from": bot.user() if message.by_bot else person_json(chat),
        "chat": chat_json(chat),
        "date": message.date,
        "text": formatted.text,
    }
    entities = formatted.entities if message.by_bot else command_entities(message.source)
    if entities:
        body["entities"] = entities
    if message.markup:
        body["reply_markup"] = message.markup
    if message.edited_at is not None:
        body["edit_date"] = message.edited_at
    return body


def command_entities(text: str) -> list[Json]:
    """Mark a leading `/command`, as the real API does; bots look for this mark, not for the slash."""
    if not text.startswith("/") or text[1:2] in {"", " "}:
        return []
    return [{"type": "bot_command", "offset": 0, "length": utf16_length(text.split(maxsplit=1)[0])}]
