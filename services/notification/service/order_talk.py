"""Talking about orders: lists, one order's story, its silence, its cancelling.

Invariant: whose an order is, is looked up at every request; an order of somebody else and one that does not exist get
the same answer. Buttons are judged by what is true now, not by what was true when they were shown.
"""

from collections.abc import Sequence
from datetime import timedelta

from services.notification.domain.change import Status
from services.notification.domain.lane import Moment
from services.notification.domain.message import Button
from services.notification.domain.reply import NOTICE_CHARS_MAX, EditButtons, Notice, Reply
from services.notification.domain.request import Action, Place, ShowOrders, Tap
from services.notification.domain.story import Headline, Story
from services.notification.domain.texts import Catalogue, Phrase
from services.notification.service.caller import Caller, escaped
from services.notification.service.desk import Cancellation, Desk, OrderBook

ORDERS_SHOWN_MAX = 10
HOUR, WORKDAY = timedelta(hours=1), timedelta(hours=8)

_STATUSES = {
    Status.NEW: ("🕐", Phrase.STATUS_NEW),
    Status.AWAITING_PAYMENT: ("🕐", Phrase.STATUS_AWAITING_PAYMENT),
    Status.PAID: ("✅", Phrase.PAID),
    Status.FAILED: ("❌", Phrase.OUT_OF_STOCK),
    Status.CANCELLED: ("🚫", Phrase.CANCELLED),
}
_CANCELLATIONS = {
    Cancellation.DONE: Phrase.CANCEL_DONE,
    Cancellation.TOO_LATE: Phrase.CANCEL_TOO_LATE,
    Cancellation.AWAY: Phrase.ORDERS_AWAY,
}


class OrderTalk:
    """The use cases of `/orders`, `/order` and of the buttons about an order."""

    async def show_many(self, orders: OrderBook, caller: Caller, before: int | None) -> Reply:
        """List the newest orders, those before an order if one is given, with a button for the ones before."""
        found = await orders.newest(caller.user_ids, before=before, rows_max=ORDERS_SHOWN_MAX + 1)
        if not found:
            return caller.says(Phrase.ORDERS_NONE)
        shown = found[:ORDERS_SHOWN_MAX]
        lines = [f"<b>{escaped(caller.words.say(Phrase.ORDERS_TITLE))}</b>"]
        lines += [_headline(each, caller.words) for each in shown]
        older = [caller.button(Phrase.BUTTON_OLDER, ShowOrders(before=shown[-1].order_id))]
        return caller.writes("\n".join(lines), *(older if len(found) > len(shown) else []))

    async def show_one(self, orders: OrderBook, caller: Caller, order_id: int | None) -> Reply:
        """Tell an order's story."""
        if order_id is None:
            return caller.says(Phrase.ORDER_WHICH)
        story = await orders.story(caller.user_ids, order_id)
        if story is None:
            return caller.says(Phrase.ORDER_UNKNOWN, order=order_id)
        title, *events, zone = _told(story, caller.words)
        heading = f"🧾 <b>{escaped(title)}</b>"
        text = "\n".join([heading, *map(escaped, events), escaped(zone)])
        return caller.writes(text, *_usual_buttons(caller, Place.ANSWER, story))

    async def tapped(  # noqa: PLR0911 - one table
        self, desk: Desk, caller: Caller, tap: Tap, cancelled: Cancellation | None
    ) -> Reply:
        """Do what a button about an order says. `cancelled` is what its owner service said to a wish to cancel."""
        story = await desk.orders.story(caller.user_ids, tap.order_id)
        if story is None:
            return caller.notes(Phrase.ORDER_UNKNOWN, order=tap.order_id)
        match tap.action:
            case Action.DETAILS | Action.ALERT_DETAILS:
                return Reply(notice=Notice("\n".join(_told(story, caller.words))[:NOTICE_CHARS_MAX], stays=True))
            case Action.ASK_MUTE:
                return _in_place(caller, _mute_buttons(caller, tap))
            case Action.MUTE_ORDER | Action.MUTE_HOUR | Action.MUTE_WORKDAY | Action.MUTE_ALL | Action.UNMUTE:
                return await self._mute(desk, caller, tap, story)
            case Action.ASK_CANCEL if story.cancellable:
                question = caller.words.say(Phrase.CANCEL_ASK, order=story.order_id)
                return _in_place(caller, _cancel_buttons(caller, tap), Notice(question))
            case Action.ASK_CANCEL:
                return self._usual(caller, tap, story, Phrase.CANCEL_TOO_LATE)
            case Action.CANCEL:
                return self._cancelled(caller, tap, story, cancelled or Cancellation.AWAY)
            case Action.BACK:
                return self._usual(caller, tap, story)

    async def _mute(self, desk: Desk, caller: Caller, tap: Tap, story: Story) -> Reply:
        if tap.action is Action.MUTE_ORDER:
            await desk.mutes.mute(caller.user_ids, story.order_id, None)
            return self._usual(caller, tap, story, Phrase.MUTED_ORDER)
        said = await choose_silence(desk, caller, tap.action, story.order_id)
        return _in_place(caller, _usual_buttons(caller, tap.place, story), Notice(said))

    def _cancelled(self, caller: Caller, tap: Tap, story: Story, cancelled: Cancellation) -> Reply:
        """Say what became of it. The news of a cancelled order may not be here yet: its button goes at once."""
        notice = Notice(caller.words.say(_CANCELLATIONS[cancelled], order=story.order_id))
        buttons = _usual_buttons(caller, tap.place, story, over=cancelled is not Cancellation.AWAY)
        return _in_place(caller, buttons, notice)

    def _usual(self, caller: Caller, tap: Tap, story: Story, phrase: Phrase | None = None) -> Reply:
        """Bring the usual buttons back, with a word about what was done."""
        said = caller.words.say(phrase, order=story.order_id) if phrase else ""
        return _in_place(caller, _usual_buttons(caller, tap.place, story), Notice(said))


async def choose_silence(desk: Desk, caller: Caller, action: Action, order_id: int | None = None) -> str:
    """Make everything silent or not, as chosen; return the words that say so."""
    match action:
        case Action.UNMUTE:
            await desk.mutes.unmute(caller.user_ids, order_id)
        case _:
            span = {Action.MUTE_HOUR: HOUR, Action.MUTE_WORKDAY: WORKDAY}.get(action)
            await desk.mutes.mute(caller.user_ids, None, span)
    return await say_silence(desk, caller)


async def say_silence(desk: Desk, caller: Caller) -> str:
    """Say what is silent now."""
    quiet = await desk.mutes.of(caller.user_ids)
    if not quiet:
        return caller.words.say(Phrase.UNMUTED)
    if quiet[0].until is None:
        return caller.words.say(Phrase.MUTED_FOR_GOOD)
    return caller.words.say(Phrase.MUTED_UNTIL, until=caller.words.say(Phrase.MOMENT, at=quiet[0].until))


def _headline(order: Headline, words: Catalogue) -> str:
    sign, phrase = _STATUSES[order.status]
    items = "" if order.items is None else f" · {words.count(Phrase.ITEMS, order.items)}"
    at = words.say(Phrase.MOMENT, at=order.at)
    title = f"<b>{escaped(words.say(Phrase.ORDER, order=order.order_id))}</b>{escaped(items)}"
    return f"{title}\n    {sign} {escaped(words.say(phrase))}, {escaped(at)}"


def _told(story: Story, words: Catalogue) -> list[str]:
    """The story in plain lines: a title, a line for each status, the zone of the times."""
    items = "" if story.items is None else f" · {words.count(Phrase.ITEMS, story.items)}"
    title = f"{words.say(Phrase.ORDER, order=story.order_id)}{items}"
    return [title, *_events(story.moments, words), words.say(Phrase.TIMES_ARE_UTC)]


def _events(moments: Sequence[Moment], words: Catalogue) -> list[str]:
    """`new` is passed within one call: it is told only where nothing followed."""
    told = moments[1:] if len(moments) > 1 and moments[1].status is Status.AWAITING_PAYMENT else moments
    return [_event(moment, words) for moment in told]


def _event(moment: Moment, words: Catalogue) -> str:
    sign, phrase = _STATUSES[moment.status]
    return f"{sign} {words.say(phrase)}, {words.say(Phrase.MOMENT, at=moment.at)}"


def _in_place(caller: Caller, buttons: tuple[Button, ...], notice: Notice = Notice()) -> Reply:  # noqa: B008 - frozen
    if caller.message_id is None:
        return Reply(notice=notice)
    return Reply(deed=EditButtons(caller.message_id, buttons), notice=notice)


def _usual_buttons(caller: Caller, place: Place, story: Story, *, over: bool = False) -> tuple[Button, ...]:
    choices = [(Phrase.BUTTON_DETAILS, Action.DETAILS), (Phrase.BUTTON_MUTE, Action.ASK_MUTE)]
    if story.cancellable and not over:
        choices.append((Phrase.BUTTON_CANCEL, Action.ASK_CANCEL))
    return _buttons(caller, Tap(place, story.order_id, story.version, Action.BACK), choices)


def _mute_buttons(caller: Caller, tap: Tap) -> tuple[Button, ...]:
    return _buttons(
        caller,
        tap,
        [
            (Phrase.BUTTON_MUTE_ORDER, Action.MUTE_ORDER),
            (Phrase.BUTTON_MUTE_HOUR, Action.MUTE_HOUR),
            (Phrase.BUTTON_MUTE_WORKDAY, Action.MUTE_WORKDAY),
            (Phrase.BUTTON_MUTE_ALL, Action.MUTE_ALL),
            (Phrase.BUTTON_UNMUTE, Action.UNMUTE),
            (Phrase.BUTTON_BACK, Action.BACK),
        ],
    )


def _cancel_buttons(caller: Caller, tap: Tap) -> tuple[Button, ...]:
    return _buttons(caller, tap, [(Phrase.BUTTON_CANCEL_YES, Action.CANCEL), (Phrase.BUTTON_CANCEL_NO, Action.BACK)])


def _buttons(caller: Caller, tap: Tap, choices: Sequence[tuple[Phrase, Action]]) -> tuple[Button, ...]:
    return tuple(caller.button(phrase, Tap(tap.place, tap.order_id, tap.version, action)) for phrase, action in choices)
