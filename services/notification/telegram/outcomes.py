"""What an exception of python-telegram-bot means: one table, read from top to bottom.

The exception's class alone does not tell: `BadRequest` and `TimedOut` are both `NetworkError`, and 401 and 404 are both
`InvalidToken`. What decides is `__cause__`: whether the request can have left.
"""

import httpx
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken

from services.notification.domain.outcome import (
    BotRefused,
    CardGone,
    ChatMoved,
    Delivered,
    Limited,
    Outcome,
    Refused,
    RetryLater,
    SubscriberGone,
    Uncertain,
    Unparsable,
)
from services.notification.telegram.request import OddRefusal, ServerFailed, TooManyRequests

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)
"""Failures before the first byte of the request."""

_SUBSCRIBER_GONE = ("blocked", "deactivated", "kicked", "can't initiate conversation", "not a member")
"""What Telegram says in a 403 that no later message changes, until the person comes back."""

_CARD_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")


def outcome_of(error: Exception) -> Outcome:  # noqa: PLR0911 - one table
    """Classify what a call raised. What is not known here left us in doubt, so it is `Uncertain`."""
    match error:
        case TooManyRequests(after=after):
            return Limited(after)
        case ChatMigrated(new_chat_id=chat_id):
            return ChatMoved(chat_id)
        case Forbidden():
            return _forbidden(error.message)
        case BadRequest():
            return _bad_request(error.message)
        case InvalidToken():
            return BotRefused("token not accepted")
        case OddRefusal(status=status):
            return Refused(f"refused with status {status}")
        case ServerFailed(status=status):
            return Uncertain(f"status {status} from a server")
        case _ if isinstance(error.__cause__, _NEVER_SENT):
            return RetryLater(_named(error.__cause__))
        case _ if error.__cause__ is not None:
            return Uncertain(_named(error.__cause__))
        case _:
            return Uncertain(_named(error))


def _forbidden(said: str) -> Outcome:
    if any(words in said.lower() for words in _SUBSCRIBER_GONE):
        return SubscriberGone(_quoted(said))
    return Refused(_quoted(said))


def _bad_request(said: str) -> Outcome:
    words = said.lower()
    if "message is not modified" in words:
        return Delivered()
    if any(gone in words for gone in _CARD_GONE):
        return CardGone()
    if "can't parse entities" in words:
        return Unparsable()
    return Refused(_quoted(said))


def _named(error: BaseException) -> str:
    """The class alone: a message may repeat the URL, and with it the token."""
    return type(error).__name__


_SAID_CHARS_MAX = 200


def _quoted(said: str) -> str:
    return said[:_SAID_CHARS_MAX]
