"""Any story of order events, answers, crashes and re-links keeps the promises of the ledger."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.notification.domain.change import AUDIBLE, Status
from services.notification.domain.lane import Assignment, Card, Head, Lane, Subscriber, decide
from services.notification.domain.notification import Call, Notification, State, Step
from services.notification.domain.outcome import (
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
from services.notification.domain.settlement import (
    CardLost,
    CardShown,
    ChatIsElsewhere,
    ChatIsGone,
    RetryPolicy,
    settle,
)

RETRY = RetryPolicy(first=timedelta(0), longest=timedelta(0), lost_edits_max=2)
ORDERS = (1, 1, 1, 2)
CHATS = (70, 71, 72)
USER = 7


@dataclass(frozen=True)
class Accepted:
    """A call that took effect at the other side, whatever its sender learned of that."""

    call: Call
    chat_id: int
    order_id: int
    version: int
    message_id: int


class Story(RuleBasedStateMachine):
    """One user with two orders; every rule is something that can happen between two steps of a sender.

    The order of statuses is not LOMS's, so that any mix of audible and inaudible versions is met.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[tuple[int, int], Notification] = {}
        self.places: list[tuple[int, int]] = []
        self.cards: dict[int, Card] = {}
        self.epochs: Counter[int] = Counter()
        self.accepted: list[Accepted] = []
        self.in_flight: dict[int, Assignment] = {}
        self.messages = 0

    @initialize()
    def link(self) -> None:
        self.subscriber = Subscriber(user_id=USER, chat_id=70, language="en")

    @rule(order_id=st.sampled_from(ORDERS), status=st.sampled_from((Status.AWAITING_PAYMENT, Status.PAID)))
    def plan(self, order_id: int, status: Status) -> None:
        version = 1 + sum(order == order_id for order, _ in self.rows)
        linked = self.subscriber.active
        row = Notification(
            order_id=order_id,
            version=version,
            user_id=USER,
            chat_id=self.subscriber.chat_id if linked else None,
            status=status,
            items=1,
            audible=status in AUDIBLE,
            moment=datetime(2026, 11, 21, tzinfo=UTC),
            alert=Step.PENDING if status in AUDIBLE else Step.NONE,
            state=State.PLANNED if linked else State.NO_SUBSCRIBER,
        )
        self.rows[order_id, version] = row
        self.places.append((order_id, version))
        if linked:
            self.cards.setdefault(order_id, Card(chat_id=self.subscriber.chat_id, message_id=None, shown_version=0))

    @rule(chat_id=st.sampled_from((70, 71)))
    def relink(self, chat_id: int) -> None:
        self.subscriber = Subscriber(user_id=USER, chat_id=chat_id, language="en")

    @rule(chat_id=st.sampled_from(CHATS))
    def claim(self, chat_id: int) -> None:
        if chat_id in self.in_flight:
            return
        self.epochs[chat_id] += 1
        lane = Lane(chat_id=chat_id, epoch=self.epochs[chat_id], tickets=1)
        decision = decide(lane, self._head(chat_id), RETRY)
        for each in decision.writes:
            assert self.rows[each.was.order_id, each.was.version] == each.was
            self._write(each.now)
        if decision.reroute is not None:
            self._move(decision.reroute.chat_id, from_chat=None)
        if decision.assignment is not None:
            assert self.subscriber.active
            assert decision.assignment.lane.chat_id == self.subscriber.chat_id
            self.in_flight[chat_id] = decision.assignment

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        called = self._one_in_flight(data)
        message_id = self._accept(called)
        self._settle(called, Delivered(message_id if _sends(called) else None))

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), accepted=st.booleans())
    def lose_the_answer(self, data: st.DataObject, *, accepted: bool) -> None:
        called = self._one_in_flight(data)
        if accepted:
            self._accept(called)
        self._settle(called, Uncertain("lost"))

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), accepted=st.booleans())
    def crash(self, data: st.DataObject, *, accepted: bool) -> None:
        called = self._one_in_flight(data)
        if accepted:
            self._accept(called)

    @precondition(lambda self: self.in_flight)
    @rule(
        data=st.data(),
        outcome=st.sampled_from(
            [
                RetryLater("later"),
                Limited(),
                Refused("no"),
                Unparsable(),
                CardGone(),
                ChatMoved(72),
                SubscriberGone("blocked"),
                NotCalled(timedelta(0), "limited"),
            ]
        ),
    )
    def refuse(self, data: st.DataObject, outcome: Outcome) -> None:
        self._settle(self._one_in_flight(data), outcome)

    @invariant()
    def sends_of_an_order_never_decrease_in_version(self) -> None:
        for order_id in ORDERS:
            sent = [
                each.version for each in self.accepted if each.order_id == order_id and each.call is not Call.EDIT_CARD
            ]
            assert sent == sorted(sent)

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        sends = Counter(
            (each.order_id, each.version, each.call) for each in self.accepted if each.call is not Call.EDIT_CARD
        )
        assert all(times == 1 for times in sends.values())

    @invariant()
    def a_message_never_goes_back_to_an_older_version(self) -> None:
        shown: dict[tuple[int, int], int] = {}
        for each in self.accepted:
            if each.call is not Call.SEND_ALERT:
                message = (each.chat_id, each.message_id)
                assert shown.get(message, 0) <= each.version
                shown[message] = each.version

    @invariant()
    def a_row_is_calling_exactly_while_its_call_is_named(self) -> None:
        assert all((row.state is State.CALLING) == (row.call is not None) for row in self.rows.values())

    def teardown(self) -> None:
        """With the other side well again, everything becomes final, and what is delivered was accepted."""
        for _ in range(20 * (len(self.rows) + 1)):
            for chat_id in CHATS:
                self.claim(chat_id)
            for called in list(self.in_flight.values()):
                del self.in_flight[called.lane.chat_id]
                message_id = self._accept(called)
                self._settle(called, Delivered(message_id if _sends(called) else None))
        assert all(not row.is_open for row in self.rows.values())
        heard = {(each.order_id, each.version) for each in self.accepted if each.call is Call.SEND_ALERT}
        for key, row in self.rows.items():
            assert row.state is not State.SUPERSEDED or not row.audible
            assert row.state is not State.DELIVERED or not row.audible or key in heard
            assert row.state is not State.DELIVERED or self.cards[row.order_id].shown_version >= row.version

    def _head(self, chat_id: int) -> Head | None:
        waiting = [
            self.rows[key] for key in self.places if self.rows[key].is_open and self.rows[key].chat_id == chat_id
        ]
        if not waiting:
            return None
        order_id = waiting[0].order_id
        rows = tuple(row for key, row in sorted(self.rows.items()) if key[0] == order_id)
        return Head(rows=rows, subscriber=self.subscriber, card=self.cards.get(order_id))

    def _one_in_flight(self, data: st.DataObject) -> Assignment:
        return self.in_flight.pop(data.draw(st.sampled_from(sorted(self.in_flight))))

    def _accept(self, called: Assignment) -> int:
        row = called.notification
        assert row.call is not None
        self.messages += 1
        message_id = self.messages if _sends(called) or called.message_id is None else called.message_id
        self.accepted.append(Accepted(row.call, called.lane.chat_id, row.order_id, row.version, message_id))
        return message_id

    def _settle(self, called: Assignment, outcome: Outcome) -> None:
        settlement = settle(called.notification, outcome, RETRY)
        self._write(settlement.notification)
        card = self.cards[called.notification.order_id]
        match settlement.effect:
            case CardShown(version=version, message_id=message_id):
                self.cards[called.notification.order_id] = Card(
                    chat_id=called.lane.chat_id,
                    message_id=card.message_id if message_id is None else message_id,
                    shown_version=max(card.shown_version, version),
                )
            case CardLost():
                self.cards[called.notification.order_id] = replace(card, message_id=None)
            case ChatIsGone():
                self.subscriber = replace(self.subscriber, active=self.subscriber.chat_id != called.lane.chat_id)
            case ChatIsElsewhere(chat_id):
                if self.subscriber.chat_id == called.lane.chat_id:
                    self.subscriber = replace(self.subscriber, chat_id=chat_id)
                self._move(chat_id, from_chat=called.lane.chat_id)

    def _write(self, row: Notification) -> None:
        self.rows[row.order_id, row.version] = row

    def _move(self, chat_id: int, *, from_chat: int | None) -> None:
        for key, row in self.rows.items():
            if row.state is State.PLANNED and from_chat in {None, row.chat_id}:
                self.rows[key] = replace(row, chat_id=chat_id)


def _sends(called: Assignment) -> bool:
    return called.notification.call is not Call.EDIT_CARD


Story.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestStory = Story.TestCase
