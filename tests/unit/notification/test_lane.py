"""What a claimed chat does next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.notification.domain.change import AUDIBLE, Status
from services.notification.domain.lane import Card, Decision, Head, Lane, Moment, Subscriber, decide
from services.notification.domain.notification import Call, Notification, State, Step
from services.notification.domain.settlement import RetryPolicy

CHAT = 70
LANE = Lane(chat_id=CHAT, epoch=5, tickets=1)
RETRY = RetryPolicy(first=timedelta(seconds=1), longest=timedelta(seconds=8), lost_edits_max=2)
SUBSCRIBER = Subscriber(user_id=7, chat_id=CHAT, language="en")
CARD = Card(chat_id=CHAT, message_id=9, shown_version=2)


def a_row(version: int, status: Status, **facts: object) -> Notification:
    row = Notification(
        order_id=42,
        version=version,
        user_id=7,
        chat_id=CHAT,
        status=status,
        items=3,
        audible=status in AUDIBLE,
        moment=datetime(2026, 11, 21, 14, version, tzinfo=UTC),
        alert=Step.PENDING if status in AUDIBLE else Step.NONE,
    )
    return replace(row, **facts)  # type: ignore[arg-type]  # a builder's defaults


def a_shown_row(version: int, status: Status) -> Notification:
    return a_row(version, status, state=State.DELIVERED, card=Step.DONE, alert=Step.NONE)


def next_in(*rows: Notification, subscriber: Subscriber | None = SUBSCRIBER, card: Card | None = None) -> Decision:
    return decide(LANE, Head(rows=rows, subscriber=subscriber, card=card), RETRY)


def written(decision: Decision) -> dict[int, State]:
    return {each.now.version: each.now.state for each in decision.writes}


def call_of(decision: Decision) -> tuple[int, Call | None]:
    assert decision.assignment is not None
    return decision.assignment.notification.version, decision.assignment.notification.call


def test_a_chat_without_open_rows_rests() -> None:
    decision = decide(LANE, None, RETRY)

    assert decision == Decision(lane=LANE)


def test_a_first_version_is_sent_as_a_card() -> None:
    decision = next_in(a_row(1, Status.NEW))

    assert call_of(decision) == (1, Call.SEND_CARD)
    assert written(decision) == {1: State.CALLING}


def test_of_a_burst_only_the_last_state_is_shown() -> None:
    decision = next_in(a_row(1, Status.NEW), a_row(2, Status.AWAITING_PAYMENT))

    assert call_of(decision) == (2, Call.SEND_CARD)
    assert written(decision) == {1: State.SUPERSEDED, 2: State.CALLING}


def test_what_must_be_heard_is_not_skipped_for_a_later_version() -> None:
    decision = next_in(a_row(1, Status.NEW), a_row(2, Status.FAILED), a_row(3, Status.AWAITING_PAYMENT))

    assert call_of(decision) == (2, Call.SEND_CARD)
    assert written(decision) == {1: State.SUPERSEDED, 2: State.CALLING}


def test_a_card_that_lies_in_the_chat_is_edited() -> None:
    decision = next_in(a_row(3, Status.PAID), card=CARD)

    assert call_of(decision) == (3, Call.EDIT_CARD)
    assert decision.assignment is not None
    assert decision.assignment.message_id == 9


def test_a_card_that_lies_in_another_chat_is_sent_anew() -> None:
    decision = next_in(a_row(3, Status.PAID), card=replace(CARD, chat_id=71))

    assert call_of(decision) == (3, Call.SEND_CARD)


def test_after_its_card_an_audible_row_sends_its_alert() -> None:
    decision = next_in(a_row(3, Status.PAID, card=Step.DONE), card=replace(CARD, shown_version=3))

    assert call_of(decision) == (3, Call.SEND_ALERT)


def test_a_card_never_goes_back_to_an_older_version() -> None:
    decision = next_in(a_row(2, Status.AWAITING_PAYMENT), card=replace(CARD, shown_version=3))

    assert decision.assignment is None
    assert written(decision) == {2: State.SUPERSEDED}


def test_an_older_version_that_must_be_heard_is_heard_without_touching_the_card() -> None:
    decision = next_in(a_row(2, Status.FAILED), card=replace(CARD, shown_version=3))

    assert call_of(decision) == (2, Call.SEND_ALERT)


def test_an_interrupted_edit_is_planned_again() -> None:
    decision = next_in(a_row(3, Status.PAID).begin(Call.EDIT_CARD, epoch=4), card=CARD)

    assert decision.assignment is None
    assert written(decision) == {3: State.PLANNED}


def test_an_interrupted_send_is_uncertain_and_never_repeated() -> None:
    decision = next_in(a_row(1, Status.NEW).begin(Call.SEND_CARD, epoch=4))

    assert decision.assignment is None
    assert written(decision) == {1: State.UNCERTAIN}


def test_rows_whose_owner_is_linked_nowhere_are_given_up_without_a_call() -> None:
    decision = next_in(a_row(1, Status.NEW), a_row(2, Status.FAILED), subscriber=None)

    assert decision.assignment is None
    assert written(decision) == {1: State.NO_SUBSCRIBER, 2: State.NO_SUBSCRIBER}


def test_rows_whose_owner_blocked_the_bot_are_given_up_without_a_call() -> None:
    decision = next_in(a_row(1, Status.NEW), subscriber=replace(SUBSCRIBER, active=False))

    assert written(decision) == {1: State.NO_SUBSCRIBER}


def test_an_alert_that_can_no_longer_be_sent_fails_because_its_card_was_shown() -> None:
    decision = next_in(a_row(3, Status.PAID, card=Step.DONE), subscriber=None)

    assert written(decision) == {3: State.FAILED}


def test_giving_up_does_not_hide_that_a_send_is_uncertain() -> None:
    decision = next_in(a_row(3, Status.PAID, card=Step.UNCERTAIN), subscriber=None)

    assert written(decision) == {3: State.UNCERTAIN}


def test_rows_follow_their_owner_to_another_chat() -> None:
    elsewhere = replace(SUBSCRIBER, chat_id=71)

    decision = next_in(a_row(1, Status.NEW), subscriber=elsewhere)

    assert decision.assignment is None
    assert decision.reroute == elsewhere


def test_an_older_version_still_planned_for_the_former_chat_is_fetched_first() -> None:
    decision = next_in(a_row(2, Status.AWAITING_PAYMENT, chat_id=71), a_row(3, Status.PAID))

    assert decision.assignment is None
    assert decision.reroute == SUBSCRIBER


def test_an_older_version_in_flight_to_the_former_chat_is_waited_for() -> None:
    in_flight = a_row(2, Status.AWAITING_PAYMENT, chat_id=71).begin(Call.SEND_CARD, epoch=1)

    decision = next_in(in_flight, a_row(3, Status.PAID))

    assert decision.assignment is None
    assert decision.reroute is None
    assert decision.after > timedelta(0)


def test_the_message_may_tell_what_happened_before_but_nothing_later() -> None:
    decision = next_in(a_shown_row(1, Status.NEW), a_row(2, Status.FAILED), a_row(3, Status.PAID))

    assert decision.assignment is not None
    assert decision.assignment.trail == (
        Moment(Status.NEW, datetime(2026, 11, 21, 14, 1, tzinfo=UTC)),
        Moment(Status.FAILED, datetime(2026, 11, 21, 14, 2, tzinfo=UTC)),
    )
