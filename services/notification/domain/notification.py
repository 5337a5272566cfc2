"""One row of the ledger: what one person is told about one status change, and how far that has come.

Invariants: a row moves only along `ALLOWED`; a final row never moves; its two halves, card and alert, end
independently, so that repeating one never repeats the other; `call` names the request in flight exactly while the
state is `calling`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.notification.domain.change import Status


class State(StrEnum):
    """Where a row stands."""

    PLANNED = "planned"
    CALLING = "calling"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SUPERSEDED = "superseded"
    NO_SUBSCRIBER = "no_subscriber"


ALLOWED: dict[State, frozenset[State]] = {
    State.PLANNED: frozenset(
        {State.CALLING, State.SUPERSEDED, State.NO_SUBSCRIBER, State.FAILED, State.UNCERTAIN},
    ),
    State.CALLING: frozenset({State.PLANNED, State.DELIVERED, State.FAILED, State.UNCERTAIN}),
    State.DELIVERED: frozenset(),
    State.FAILED: frozenset(),
    State.UNCERTAIN: frozenset(),
    State.SUPERSEDED: frozenset(),
    State.NO_SUBSCRIBER: frozenset(),
}

OPEN = frozenset(state for state, next_states in ALLOWED.items() if next_states)
FINAL = frozenset(State) - OPEN


class Step(StrEnum):
    """How far one half of a row, its card or its alert, has come."""

    NONE = "none"  # this row has no such half
    PENDING = "pending"
    DONE = "done"
    SKIPPED = "skipped"  # given up without a call
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class Call(StrEnum):
    """The requests a row can need. A send repeated is a second message; an edit repeated changes nothing."""

    SEND_CARD = "send_card"
    EDIT_CARD = "edit_card"
    SEND_ALERT = "send_alert"


class IllegalTransition(Exception):
    """A row was asked to make a move its state does not allow."""

    def __init__(self, order_id: int, version: int, state: State, requested: State) -> None:
        super().__init__(f"notification {order_id}/{version} cannot go from {state} to {requested}")
        self.order_id = order_id
        self.version = version
        self.state = state
        self.requested = requested


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One (order, version). `epoch` is the lane's epoch under which it was last called; 0 before."""

    order_id: int
    version: int
    user_id: int
    chat_id: int | None
    status: Status
    items: int | None
    audible: bool
    moment: datetime
    state: State = State.PLANNED
    card: Step = Step.PENDING
    alert: Step = Step.NONE
    call: Call | None = None
    epoch: int = 0
    attempts: int = 0
    lost_edits: int = 0
    plain: bool = False
    reason: str | None = None
    traceparent: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in OPEN

    def begin(self, call: Call, epoch: int) -> "Notification":
        """Name the request about to leave. Must be durable before the socket is touched."""
        return replace(_moved(self, State.CALLING), call=call, epoch=epoch, attempts=self.attempts + 1)

    def superseded(self) -> "Notification":
        """A newer state is shown instead."""
        return replace(_moved(self, State.SUPERSEDED), card=Step.SKIPPED)

    def card_is_newer(self) -> "Notification":
        """The card already shows this version or a later one: nothing to edit, the alert remains."""
        return replace(self, card=Step.DONE)

    def unreachable(self) -> "Notification":
        """Nobody is linked any more: give up what is pending, keep what is known about what was done."""
        given_up = _pending_ended(self, Step.SKIPPED)
        if Step.UNCERTAIN in (given_up.card, given_up.alert):
            return _moved(given_up, State.UNCERTAIN)
        if self.card is Step.PENDING:
            return _moved(given_up, State.NO_SUBSCRIBER)
        return replace(_moved(given_up, State.FAILED), reason="nobody is linked")

    def again(self, reason: str | None = None) -> "Notification":
        """The request in flight certainly had no effect, or none that a repeat changes: plan it once more."""
        return replace(_moved(self, State.PLANNED), call=None, reason=reason)

    def not_called(self) -> "Notification":
        """The request named never left: take the attempt back."""
        return replace(_moved(self, State.PLANNED), call=None, attempts=self.attempts - 1)

    def end_step(self, step: Step, reason: str | None = None) -> "Notification":
        """The half in flight ended so: on to the other half, or final."""
        alerting = self.call is Call.SEND_ALERT
        ended = replace(
            self,
            card=self.card if alerting else step,
            alert=step if alerting else self.alert,
            reason=reason or self.reason,
        )
        return replace(_moved(ended, _conclusion(ended)), call=None)

    def fail(self, reason: str) -> "Notification":
        """Nothing more can be done for this row."""
        ended = _pending_ended(self, Step.FAILED)
        return replace(_moved(ended, _conclusion(ended)), call=None, reason=reason)


def _moved(row: Notification, requested: State) -> Notification:
    if requested not in ALLOWED[row.state]:
        raise IllegalTransition(row.order_id, row.version, row.state, requested)
    return replace(row, state=requested)


def _pending_ended(row: Notification, step: Step) -> Notification:
    return replace(
        row,
        card=step if row.card is Step.PENDING else row.card,
        alert=step if row.alert is Step.PENDING else row.alert,
    )


def _conclusion(row: Notification) -> State:
    halves = (row.card, row.alert)
    if Step.PENDING in halves:
        return State.PLANNED
    if Step.UNCERTAIN in halves:
        return State.UNCERTAIN
    return State.FAILED if Step.FAILED in halves else State.DELIVERED
