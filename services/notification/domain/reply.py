"""What the bot answers: what becomes of the chat, and the word that ends a tap."""

from dataclasses import dataclass

from services.notification.domain.message import Button, Message

NOTICE_CHARS_MAX = 200
"""Telegram's bound for the words that answer a tap."""


@dataclass(frozen=True, slots=True)
class SendMessage:
    """A new message."""

    message: Message


@dataclass(frozen=True, slots=True)
class EditMessage:
    """A message of ours says something else from now on."""

    message_id: int
    message: Message


@dataclass(frozen=True, slots=True)
class EditButtons:
    """A message of ours keeps its words and gets other buttons."""

    message_id: int
    buttons: tuple[Button, ...]
    per_row: int = 3


Deed = SendMessage | EditMessage | EditButtons


@dataclass(frozen=True, slots=True)
class Notice:
    """The word that ends a tap: shown for a moment, or until it is closed. Empty: the button just stops waiting."""

    text: str = ""
    stays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer. A tap is always ended, with these words or with none."""

    deed: Deed | None = None
    notice: Notice = Notice()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """A reply on its way: kept with the update it answers until it is made."""

    update_id: int
    chat_id: int
    query_id: str | None
    reply: Reply
