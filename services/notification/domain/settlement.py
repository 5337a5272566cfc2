"""What an outcome means for the row, for the card and for the chat: one exhaustive match, no I/O."""

from dataclasses import dataclass, replace
from datetime import timedelta

from services.notification.domain.notification import Call, Notification, Step
from services.notification.domain.outcome import (
    BotRefused,
    CardGone,
    ChatMoved,
    Delivered,
    Limited,
    NotCalled,
    Outcome,
    Refused,
    RetryLater,
    SubscriberGone,
    Uncertain,
    Unparsable,
)

AT_ONCE = timedelta(0)

_AS_IF_AN_EDIT = "a send answered as if it were an edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long we wait where the other side does not say, and how often an edit's lost answer is looked for.

    Waiting doubles from `first` to `longest` and never ends: what was certainly not accepted must not be given up. Lost
    edits do end: an edit that Telegram swallows for ever must not hold its chat for ever.
    """

    first: timedelta
    longest: timedelta
    lost_edits_max: int

    def delay(self, attempts: int) -> timedelta:
        """Return how long to wait after so many attempts."""
        doublings = min(max(attempts - 1, 0), 30)
        return min(self.first * (1 << doublings), self.longest)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardShown:
    """The order's card now shows this version. `message_id` is None when an existing card was edited."""

    version: int
    message_id: int | None


@dataclass(frozen=True, slots=True)
class CardLost:
    """The order's card is no longer in the chat."""


@dataclass(frozen=True, slots=True)
class ChatIsGone:
    """Whoever is linked to the chat cannot be reached there any more."""


@dataclass(frozen=True, slots=True)
class ChatIsElsewhere:
    """Whoever is linked to the chat is to be reached in another one."""

    chat_id: int


Effect = CardShown | CardLost | ChatIsGone | ChatIsElsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The row as it is to be written, when its chat may be used again, what else changed, whether the bot must stop."""

    notification: Notification
    after: timedelta = AT_ONCE
    effect: Effect | None = None
    stop: str | None = None


def settle(calling: Notification, outcome: Outcome, retry: RetryPolicy) -> Settlement:  # noqa: C901, PLR0911 - one exhaustive match
    """Fold the outcome of the call in flight into its row."""
    match outcome:
        case Delivered(None) if calling.call is not Call.EDIT_CARD:
            return Settlement(notification=calling.end_step(Step.FAILED, _AS_IF_AN_EDIT))
        case Delivered(message_id):
            return Settlement(notification=calling.end_step(Step.DONE), effect=_shown(calling, message_id))
        case NotCalled(after, _):
            return Settlement(notification=calling.not_called(), after=after)
        case RetryLater(reason):
            return Settlement(notification=calling.again(reason), after=retry.delay(calling.attempts))
        case Limited(after):
            pause = retry.delay(calling.attempts) if after is None else after
            return Settlement(notification=calling.again("too many requests"), after=pause)
        case Refused(reason):
            return Settlement(notification=calling.end_step(Step.FAILED, reason))
        case Unparsable():
            return _as_plain_text(calling)
        case CardGone():
            return _without_card(calling)
        case ChatMoved(chat_id):
            moved = calling.again("the chat moved")
            return Settlement(notification=moved, effect=ChatIsElsewhere(chat_id))
        case SubscriberGone(reason):
            return Settlement(notification=calling.fail(reason), effect=ChatIsGone())
        case Uncertain(reason):
            return _answer_lost(calling, reason, retry)
        case BotRefused(reason):
            return Settlement(notification=calling.again(reason), stop=reason)


def _shown(calling: Notification, message_id: int | None) -> CardShown | None:
    if calling.call is Call.SEND_ALERT:
        return None
    return CardShown(version=calling.version, message_id=message_id)


def _as_plain_text(calling: Notification) -> Settlement:
    if calling.plain:
        return Settlement(notification=calling.end_step(Step.FAILED, "refused even as plain text"))
    return Settlement(notification=replace(calling.again("markup refused"), plain=True))


def _without_card(calling: Notification) -> Settlement:
    if calling.call is not Call.EDIT_CARD:
        return Settlement(notification=calling.end_step(Step.FAILED, _AS_IF_AN_EDIT))
    return Settlement(notification=calling.again("the card is gone"), effect=CardLost())


def _answer_lost(calling: Notification, reason: str, retry: RetryPolicy) -> Settlement:
    """Repeat an edit, which changes nothing if it had been accepted; never repeat a send."""
    if calling.call is Call.EDIT_CARD and calling.lost_edits < retry.lost_edits_max:
        edited_again = replace(calling.again(reason), lost_edits=calling.lost_edits + 1)
        return Settlement(notification=edited_again, after=retry.delay(calling.lost_edits + 1))
    return Settlement(notification=calling.end_step(Step.UNCERTAIN, reason))
