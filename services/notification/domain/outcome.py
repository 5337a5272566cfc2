"""What became of one outside call: closed variants, so that whoever branches on them must name them all.

The dividing line is the socket. Before it the call never happened and may be repeated; behind it a lost answer is
`Uncertain` and is never silently repeated.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Delivered:
    """Accepted. `message_id` names a message that was sent; None after an edit."""

    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class NotCalled:
    """The socket was never touched: we ourselves held the call back. It counts as no attempt."""

    after: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Certainly not accepted, and a repeat will help."""

    reason: str


@dataclass(frozen=True, slots=True)
class Limited:
    """Certainly not accepted: too many calls. `after` is how long the other side asked us to wait, if it did."""

    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Certainly not accepted, and no repeat will help."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unparsable:
    """Refused for its markup: once more as plain text."""


@dataclass(frozen=True, slots=True)
class CardGone:
    """The message to edit is no longer there: a new card is needed."""


@dataclass(frozen=True, slots=True)
class ChatMoved:
    """The chat lives under another id now."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class SubscriberGone:
    """The person blocked the bot or is gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The request may have been accepted: its answer was lost."""

    reason: str


@dataclass(frozen=True, slots=True)
class BotRefused:
    """The bot's token is not accepted: every further call would fail alike, only an operator can help."""

    reason: str


Outcome = (
    Delivered
    | NotCalled
    | RetryLater
    | Limited
    | Refused
    | Unparsable
    | CardGone
    | ChatMoved
    | SubscriberGone
    | Uncertain
    | BotRefused
)
