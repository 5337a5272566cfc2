"""The messages about an order: its card, edited from version to version, and the alert beside it.

Every value and every word is escaped in the HTML form; the plain form says the same without markup. Every message
carries a button whose data begins `o:<order id>:<version>`; an alert's goes on with `:a`. A muted
alert makes no sound.
"""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from services.notification.domain.change import Status
from services.notification.domain.lane import Assignment, Moment
from services.notification.domain.message import Button, Message
from services.notification.domain.notification import Call
from services.notification.domain.request import Action, Place, Tap, data_of
from services.notification.domain.seal import Seal
from services.notification.domain.story import CANCELLABLE
from services.notification.domain.texts import Catalogue, Catalogues, Phrase

_GAP = "   "
ALERTS = {
    Status.PAID: Phrase.ALERT_PAID,
    Status.FAILED: Phrase.ALERT_FAILED,
    Status.CANCELLED: Phrase.ALERT_CANCELLED,
}


class Composer:
    """Writes the message an assignment's call carries, in the subscriber's language."""

    def __init__(self, *, catalogues: Catalogues, seal: Seal) -> None:
        self._catalogues = catalogues
        self._seal = seal

    def compose(self, assignment: Assignment) -> Message:
        """Write the message; the same assignment gives the same message."""
        words = self._catalogues.of(assignment.language)
        if assignment.notification.call is Call.SEND_ALERT:
            return self._alert(assignment, words)
        return self._card(assignment, words)

    def _alert(self, assignment: Assignment, words: Catalogue) -> Message:
        row = assignment.notification
        text = words.say(ALERTS[row.status], order=row.order_id)
        return Message(
            text=text if row.plain else escape(text, quote=False),
            html=not row.plain,
            silent=assignment.muted,
            buttons=(self._button(assignment, words.say(Phrase.BUTTON_DETAILS), Action.ALERT_DETAILS),),
        )

    def _card(self, assignment: Assignment, words: Catalogue) -> Message:
        row = assignment.notification
        title = words.say(Phrase.ORDER, order=row.order_id)
        count = "" if row.items is None else f" · {words.count(Phrase.ITEMS, row.items)}"
        progress = _GAP.join(_progress(row.status, assignment.trail, words))
        if row.plain:
            text = f"🧾 {title}{count}\n{progress}"
        else:
            text = (
                f"🧾 <b>{escape(title, quote=False)}</b>{escape(count, quote=False)}\n{escape(progress, quote=False)}"
            )
        return Message(text=text, html=not row.plain, silent=True, buttons=self._card_buttons(assignment, words))

    def _card_buttons(self, assignment: Assignment, words: Catalogue) -> tuple[Button, ...]:
        buttons = [
            self._button(assignment, words.say(Phrase.BUTTON_DETAILS), Action.DETAILS),
            self._button(assignment, words.say(Phrase.BUTTON_MUTE), Action.ASK_MUTE),
        ]
        if assignment.notification.status in CANCELLABLE:
            buttons.append(self._button(assignment, words.say(Phrase.BUTTON_CANCEL), Action.ASK_CANCEL))
        return tuple(buttons)

    def _button(self, assignment: Assignment, label: str, action: Action) -> Button:
        row = assignment.notification
        data = data_of(Tap(Place.CARD, row.order_id, row.version, action))
        return Button(label, self._seal.seal(assignment.lane.chat_id, data))


def _progress(status: Status, trail: Sequence[Moment], words: Catalogue) -> list[str]:
    placed = _reached(words.say(Phrase.PLACED), trail[0].at)
    still_to_come = f"▫️ {words.say(Phrase.ASSEMBLED)}"
    match status:
        case Status.NEW | Status.AWAITING_PAYMENT:
            return [placed, f"▫️ {words.say(Phrase.PAID)}", still_to_come]
        case Status.PAID:
            return [placed, _reached(words.say(Phrase.PAID), trail[-1].at), still_to_come]
        case Status.FAILED:
            return [placed, _ended(words.say(Phrase.OUT_OF_STOCK), trail[-1].at)]
        case Status.CANCELLED:
            return [placed, _ended(words.say(Phrase.CANCELLED), trail[-1].at)]


def _reached(word: str, at: datetime) -> str:
    return f"✅ {word} {at:%H:%M}"


def _ended(word: str, at: datetime) -> str:
    return f"❌ {word} {at:%H:%M}"
