"""The messages themselves: the order card, edited from version to version, and the alert beside it.

Every value from outside is escaped in the HTML form; the plain form says the same without markup. Every message carries
a button whose data begins `o:<order id>:<version>`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from services.notification.domain.change import Status
from services.notification.domain.lane import Assignment, Moment
from services.notification.domain.notification import Call, Notification
from services.notification.domain.texts import Catalogue, catalogue

_GAP = "   "
_CANCELLABLE = frozenset({Status.NEW, Status.AWAITING_PAYMENT})


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message; `data` (at most 64 bytes) comes back when it is pressed."""

    label: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text ready to leave: HTML if there is markup to parse, plain otherwise. A silent one makes no sound."""

    text: str
    html: bool
    silent: bool
    buttons: tuple[Button, ...]


def compose(assignment: Assignment) -> Message:
    """Write the message the assignment's call carries, in the subscriber's language."""
    return compose_in(catalogue(assignment.language), assignment)


def compose_in(words: Catalogue, assignment: Assignment) -> Message:
    """Write the message the assignment's call carries, in these words."""
    if assignment.notification.call is Call.SEND_ALERT:
        return _alert(assignment.notification, words)
    return _card(assignment.notification, assignment.trail, words)


def _alert(row: Notification, words: Catalogue) -> Message:
    text = words.alerts[row.status](row.order_id)
    return Message(
        text=text if row.plain else escape(text, quote=False),
        html=not row.plain,
        silent=False,
        buttons=(_button(row, words.details, "d"),),
    )


def _card(row: Notification, trail: Sequence[Moment], words: Catalogue) -> Message:
    title = words.order(row.order_id)
    count = "" if row.items is None else f" · {words.items(row.items)}"
    progress = _GAP.join(_progress(row.status, trail, words))
    if row.plain:
        text = f"🧾 {title}{count}\n{progress}"
    else:
        text = f"🧾 <b>{escape(title, quote=False)}</b>{escape(count, quote=False)}\n{escape(progress, quote=False)}"
    return Message(text=text, html=not row.plain, silent=True, buttons=_card_buttons(row, words))


def _progress(status: Status, trail: Sequence[Moment], words: Catalogue) -> list[str]:
    placed = _reached(words.placed, trail[0].at)
    match status:
        case Status.NEW | Status.AWAITING_PAYMENT:
            return [placed, f"▫️ {words.paid}", f"▫️ {words.assembled}"]
        case Status.PAID:
            return [placed, _reached(words.paid, trail[-1].at), f"▫️ {words.assembled}"]
        case Status.FAILED:
            return [placed, _ended(words.failed, trail[-1].at)]
        case Status.CANCELLED:
            return [placed, _ended(words.cancelled, trail[-1].at)]


def _reached(word: str, at: datetime) -> str:
    return f"✅ {word} {at:%H:%M}"


def _ended(word: str, at: datetime) -> str:
    return f"❌ {word} {at:%H:%M}"


def _card_buttons(row: Notification, words: Catalogue) -> tuple[Button, ...]:
    buttons = [_button(row, words.details, "d"), _button(row, words.mute, "m")]
    if row.status in _CANCELLABLE:
        buttons.append(_button(row, words.cancel_order, "c"))
    return tuple(buttons)


def _button(row: Notification, label: str, action: str) -> Button:
    return Button(label, f"o:{row.order_id}:{row.version}:{action}")
