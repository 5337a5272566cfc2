"""What the phones show: chats and their messages, built by applying the acceptance log line by line.

The same `apply` runs for a new line and for a replayed one, so a restart ends in the state it left. Full messages are
kept for the newest of each chat only; of older ones a fingerprint remains, enough to judge an edit.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stack.telegram.html_text import FormattedText, parse_html
from stack.telegram.journal import Entry

MESSAGES_SHOWN_MAX = 60


@dataclass(slots=True)
class Message:
    """One bubble of one chat, as it was sent or last edited."""

    message_id: int
    date: int
    by_bot: bool
    source: str
    parse_mode: str | None
    markup: dict[str, Any] | None
    edited_at: int | None = None

    def formatted(self) -> FormattedText:
        """Give the visible text and its entities."""
        if self.parse_mode == "HTML":
            return parse_html(self.source)
        return FormattedText(self.source)

    def fingerprint(self) -> int:
        """Give a number two equal contents share, so that an edit that changes nothing is known."""
        return hash((self.source, self.parse_mode, repr(self.markup)))


@dataclass(frozen=True, slots=True)
class Notice:
    """The word that ended the newest tap; `alert`: it stays until it is closed. `seq` is its line in the log."""

    text: str
    alert: bool
    seq: int


@dataclass(slots=True)
class Chat:
    """One person's (or group's) conversation with the bot."""

    chat_id: int
    last_message_id: int = 0
    blocked: bool = False
    language: str = "en"
    notice: Notice | None = None
    changed_seq: int = 0
    messages: dict[int, Message] = field(default_factory=dict)
    fingerprints: dict[int, int] = field(default_factory=dict)  # of every bot message that still exists

    @property
    def kind(self) -> str:
        """Positive ids are people, as in the real API."""
        return "private" if self.chat_id > 0 else "supergroup"


class Chats:
    """Every chat, the most recently active last."""

    def __init__(self) -> None:
        self._chats: OrderedDict[int, Chat] = OrderedDict()

    def find(self, chat_id: int) -> Chat | None:
        """Give the chat if anybody ever used it."""
        return self._chats.get(chat_id)

    def get(self, chat_id: int) -> Chat:
        """Give the chat, an empty one if it is new (it exists from its first line in the log)."""
        return self._chats.get(chat_id) or Chat(chat_id)

    def count(self) -> int:
        """Give how many chats there are."""
        return len(self._chats)

    def recent(self, limit: int) -> list[Chat]:
        """Give the most recently active chats, newest first."""
        newest = reversed(self._chats.values())
        return [chat for chat, _ in zip(newest, range(limit), strict=False)]

    def changed_since(self, seq: int, limit: int) -> list[Chat]:
        """Give the chats with lines after `seq`, newest first, at most `limit`."""
        return list(_take_while_newer(reversed(self._chats.values()), seq, limit))

    def apply(self, entry: Entry) -> None:
        """Change what the phones show by one line of the log."""
        if "chat_id" not in entry:
            return
        chat = self._chats.setdefault(entry["chat_id"], Chat(entry["chat_id"]))
        match entry["method"]:
            case "sendMessage" | "user.message":
                _add(chat, entry)
            case "editMessageText" | "editMessageReplyMarkup":
                _edit(chat, entry)
            case "deleteMessage":
                chat.messages.pop(entry["message_id"], None)
                chat.fingerprints.pop(entry["message_id"], None)
            case "user.block":
                chat.blocked = True
            case "user.unblock":
                chat.blocked = False
            case "user.language":
                chat.language = entry["language"]
            case "answerCallbackQuery":
                chat.notice = Notice(entry["text"], entry["alert"], entry["seq"])
        chat.changed_seq = entry["seq"]
        self._chats.move_to_end(chat.chat_id)


def _take_while_newer(chats: Iterator[Chat], seq: int, limit: int) -> Iterator[Chat]:
    for chat, _ in zip(chats, range(limit), strict=False):
        if chat.changed_seq <= seq:
            return
        yield chat


def _add(chat: Chat, entry: Entry) -> None:
    by_bot = entry["method"] == "sendMessage"
    payload = entry.get("payload", {})
    message = Message(
        message_id=entry["message_id"],
        date=unix_seconds(entry),
        by_bot=by_bot,
        source=payload.get("text", entry["text"]),
        parse_mode=payload.get("parse_mode"),
        markup=payload.get("reply_markup"),
    )
    chat.last_message_id = message.message_id
    chat.messages[message.message_id] = message
    if by_bot:
        chat.fingerprints[message.message_id] = message.fingerprint()
    if len(chat.messages) > MESSAGES_SHOWN_MAX:
        del chat.messages[next(iter(chat.messages))]


def _edit(chat: Chat, entry: Entry) -> None:
    edited = edited_message(entry)
    shown = chat.messages.get(edited.message_id)
    if shown is not None:
        edited.date = shown.date
        if entry["method"] == "editMessageReplyMarkup":
            edited.source, edited.parse_mode = shown.source, shown.parse_mode
        chat.messages[edited.message_id] = edited
    chat.fingerprints[edited.message_id] = edited.fingerprint()


def edited_message(entry: Entry) -> Message:
    """Give the message as an edit leaves it; when it was sent is not known here."""
    payload = entry["payload"]
    return Message(
        message_id=entry["message_id"],
        date=unix_seconds(entry),
        by_bot=True,
        source=payload.get("text", entry["text"]),
        parse_mode=payload.get("parse_mode"),
        markup=payload.get("reply_markup"),
        edited_at=unix_seconds(entry),
    )


def unix_seconds(entry: Entry) -> int:
    """Give the moment of a line as the Bot API writes dates."""
    return int(datetime.fromisoformat(entry["at"]).timestamp())
