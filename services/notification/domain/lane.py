"""A chat as a lane: which of its orders is first in line, and what the next call for that order is. No I/O.

Invariants: an order's rows are shown in version order; a burst is shown as its last state only, yet an audible row is
never skipped; a card never goes back to an older version; nothing is called for a chat the owner is not linked to.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notification.domain.change import Status
from services.notification.domain.notification import Call, Notification, State, Step
from services.notification.domain.outcome import Uncertain
from services.notification.domain.settlement import AT_ONCE, RetryPolicy, settle

ELSEWHERE_PAUSE = timedelta(milliseconds=100)
"""How long a lane waits for an older version of its order that another chat's lane has in flight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A claimed chat. Every write that ends the claim names `epoch`; `tickets` tells whether more was planned since."""

    chat_id: int
    epoch: int
    tickets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Whom to tell, where, and in which language. `linked_at` is known of links that were read as links."""

    user_id: int
    chat_id: int
    language: str
    active: bool = True
    linked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The one message of an order: where it lies and which version it shows."""

    chat_id: int
    message_id: int | None
    shown_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The order first in line in a chat: all its rows by version, its owner as linked now, its card.

    `muted`: its owner wants to read of it without a sound.
    """

    rows: tuple[Notification, ...]
    subscriber: Subscriber | None
    card: Card | None
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """A status and when it was reached."""

    status: Status
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One call to make: a row in state `calling`, its lane, where its message goes, how, and what it may tell."""

    notification: Notification
    lane: Lane
    language: str
    message_id: int | None
    trail: tuple[Moment, ...]
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A row to write: as it was read, and as it is to be."""

    was: Notification
    now: Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one look at a lane decided. Without an assignment the lane is given back, not before `after`."""

    lane: Lane
    writes: tuple[Written, ...] = ()
    assignment: Assignment | None = None
    after: timedelta = AT_ONCE
    reroute: Subscriber | None = None


def decide(lane: Lane, head: Head | None, retry: RetryPolicy) -> Decision:
    """Say what happens next in a lane that was just claimed."""
    if head is None:
        return Decision(lane=lane)
    if interrupted := [row for row in head.rows if _in_flight(row, lane)]:
        return Decision(lane=lane, writes=tuple(_recovered(row, retry) for row in interrupted))
    mine = [row for row in head.rows if row.is_open and row.chat_id == lane.chat_id]
    if head.subscriber is None or not head.subscriber.active:
        return Decision(lane=lane, writes=tuple(Written(row, row.unreachable()) for row in mine))
    if head.subscriber.chat_id != lane.chat_id:
        return Decision(lane=lane, reroute=head.subscriber)
    if older := [
        row for row in head.rows if row.is_open and row.chat_id != lane.chat_id and row.version < mine[-1].version
    ]:
        return _after_those_elsewhere(lane, older, head.subscriber)
    return _next_call(lane, mine, head, head.subscriber)


def _in_flight(row: Notification, lane: Lane) -> bool:
    return row.state is State.CALLING and row.chat_id == lane.chat_id


def _recovered(row: Notification, retry: RetryPolicy) -> Written:
    """A call whose sender died: its answer is lost."""
    return Written(row, settle(row, Uncertain("the sender was interrupted"), retry).notification)


def _after_those_elsewhere(lane: Lane, older: list[Notification], subscriber: Subscriber) -> Decision:
    if any(row.state is State.CALLING for row in older):
        return Decision(lane=lane, after=ELSEWHERE_PAUSE)
    return Decision(lane=lane, reroute=subscriber)


def _next_call(lane: Lane, mine: list[Notification], head: Head, subscriber: Subscriber) -> Decision:
    """Go for the first row that must be heard, or for the last one; what lies before it is superseded."""
    target = next((row for row in mine if row.audible), mine[-1])
    skipped = tuple(Written(row, row.superseded()) for row in mine if row.version < target.version)
    card = head.card if head.card and head.card.chat_id == lane.chat_id else None
    if _shows(card, target):
        if not target.audible:
            return Decision(lane=lane, writes=(*skipped, Written(target, target.superseded())))
        calling = target.card_is_newer().begin(Call.SEND_ALERT, lane.epoch)
    else:
        calling = target.begin(_call_for(target, card), lane.epoch)
    assignment = Assignment(
        notification=calling,
        lane=lane,
        language=subscriber.language,
        message_id=card.message_id if card else None,
        trail=_trail(head.rows, target.version),
        muted=head.muted,
    )
    return Decision(lane=lane, writes=(*skipped, Written(target, calling)), assignment=assignment)


def _shows(card: Card | None, target: Notification) -> bool:
    return (
        target.card is Step.PENDING
        and card is not None
        and card.message_id is not None
        and card.shown_version >= target.version
    )


def _call_for(target: Notification, card: Card | None) -> Call:
    if target.card is not Step.PENDING:
        return Call.SEND_ALERT
    return Call.SEND_CARD if card is None or card.message_id is None else Call.EDIT_CARD


def _trail(rows: tuple[Notification, ...], version: int) -> tuple[Moment, ...]:
    return tuple(Moment(row.status, row.moment) for row in rows if row.version <= version)
