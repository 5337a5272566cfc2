"""What an outcome does to its row: the outcome table, row by row."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notification.domain.change import Status
from services.notification.domain.notification import Call, IllegalTransition, Notification, State, Step
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
from services.notification.domain.settlement import (
    CardLost,
    CardShown,
    ChatIsElsewhere,
    ChatIsGone,
    RetryPolicy,
    settle,
)

RETRY = RetryPolicy(first=timedelta(seconds=1), longest=timedelta(seconds=8), lost_edits_max=2)
SEND_CARD, EDIT_CARD, SEND_ALERT = Call.SEND_CARD, Call.EDIT_CARD, Call.SEND_ALERT


def a_row(*, audible: bool = False, card: Step = Step.PENDING, **facts: object) -> Notification:
    row = Notification(
        order_id=42,
        version=3,
        user_id=7,
        chat_id=70,
        status=Status.PAID,
        items=3,
        audible=audible,
        moment=datetime(2026, 11, 21, tzinfo=UTC),
        card=card,
        alert=Step.PENDING if audible else Step.NONE,
    )
    return Notification(**{name: getattr(row, name) for name in row.__slots__} | facts)


def calling(call: Call, **facts: object) -> Notification:
    alerting = call is SEND_ALERT
    row = a_row(**{"audible": alerting, "card": Step.DONE if alerting else Step.PENDING} | facts)  # type: ignore[arg-type]  # a builder's defaults
    return row.begin(call, epoch=5)


def test_a_delivered_card_ends_an_inaudible_row_and_names_its_message() -> None:
    settled = settle(calling(SEND_CARD), Delivered(message_id=9), RETRY)

    assert settled.notification.state is State.DELIVERED
    assert settled.effect == CardShown(version=3, message_id=9)


def test_a_delivered_card_leaves_the_alert_of_an_audible_row_to_do() -> None:
    settled = settle(calling(EDIT_CARD, audible=True), Delivered(), RETRY)

    assert settled.notification.state is State.PLANNED
    assert (settled.notification.card, settled.notification.alert) == (Step.DONE, Step.PENDING)
    assert settled.effect == CardShown(version=3, message_id=None)


def test_a_delivered_alert_ends_the_row_and_leaves_the_card_alone() -> None:
    settled = settle(calling(SEND_ALERT), Delivered(message_id=10), RETRY)

    assert settled.notification.state is State.DELIVERED
    assert settled.effect is None


@pytest.mark.parametrize("call", list(Call))
def test_what_telegram_asks_us_to_wait_is_waited_exactly(call: Call) -> None:
    settled = settle(calling(call), Limited(timedelta(seconds=17)), RETRY)

    assert settled.notification.state is State.PLANNED
    assert settled.after == timedelta(seconds=17)


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 8), (400, 8)])
def test_where_nobody_says_how_long_the_pause_doubles_up_to_a_bound(attempts: int, seconds: int) -> None:
    settled = settle(calling(SEND_CARD, attempts=attempts), RetryLater("ConnectError"), RETRY)

    assert settled.after == timedelta(seconds=seconds)


def test_a_call_held_back_by_ourselves_is_no_attempt() -> None:
    settled = settle(calling(SEND_CARD), NotCalled(timedelta(seconds=2), "limited"), RETRY)

    assert (settled.notification.state, settled.notification.attempts) == (State.PLANNED, 0)
    assert settled.after == timedelta(seconds=2)


@pytest.mark.parametrize("call", [SEND_CARD, SEND_ALERT])
def test_a_send_whose_answer_was_lost_is_uncertain_at_once(call: Call) -> None:
    settled = settle(calling(call), Uncertain("ReadTimeout"), RETRY)

    assert settled.notification.state is State.UNCERTAIN
    assert settled.notification.reason == "ReadTimeout"


def test_an_edit_whose_answer_was_lost_is_repeated() -> None:
    settled = settle(calling(EDIT_CARD), Uncertain("ReadTimeout"), RETRY)

    assert settled.notification.state is State.PLANNED
    assert settled.notification.card is Step.PENDING


def test_an_edit_whose_answer_is_always_lost_ends_uncertain() -> None:
    settled = settle(calling(EDIT_CARD, lost_edits=2), Uncertain("ReadTimeout"), RETRY)

    assert settled.notification.state is State.UNCERTAIN


def test_a_card_whose_first_send_was_lost_does_not_silence_the_alert() -> None:
    settled = settle(calling(SEND_CARD, audible=True), Uncertain("ReadTimeout"), RETRY)

    assert settled.notification.state is State.PLANNED
    assert (settled.notification.card, settled.notification.alert) == (Step.UNCERTAIN, Step.PENDING)


def test_a_delivered_alert_does_not_hide_that_the_card_is_uncertain() -> None:
    settled = settle(calling(SEND_ALERT, card=Step.UNCERTAIN), Delivered(10), RETRY)

    assert settled.notification.state is State.UNCERTAIN


@pytest.mark.parametrize("call", list(Call))
def test_a_refusal_fails_its_half_of_the_row(call: Call) -> None:
    settled = settle(calling(call), Refused("chat not found"), RETRY)

    assert settled.notification.state is State.FAILED
    assert settled.notification.reason == "chat not found"


def test_refused_markup_is_sent_once_more_as_plain_text() -> None:
    settled = settle(calling(SEND_CARD), Unparsable(), RETRY)

    assert (settled.notification.state, settled.notification.plain) == (State.PLANNED, True)


def test_plain_text_refused_for_its_markup_fails() -> None:
    settled = settle(calling(SEND_CARD, plain=True), Unparsable(), RETRY)

    assert settled.notification.state is State.FAILED


def test_a_card_that_is_gone_is_planned_again_and_forgotten() -> None:
    settled = settle(calling(EDIT_CARD), CardGone(), RETRY)

    assert settled.notification.state is State.PLANNED
    assert settled.effect == CardLost()


def test_a_send_cannot_miss_a_message_to_edit() -> None:
    settled = settle(calling(SEND_ALERT), CardGone(), RETRY)

    assert settled.notification.state is State.FAILED


def test_a_chat_that_moved_is_followed() -> None:
    settled = settle(calling(SEND_CARD), ChatMoved(chat_id=-100), RETRY)

    assert settled.notification.state is State.PLANNED
    assert settled.effect == ChatIsElsewhere(chat_id=-100)


def test_a_subscriber_who_is_gone_ends_both_halves() -> None:
    settled = settle(calling(EDIT_CARD, audible=True), SubscriberGone("bot was blocked by the user"), RETRY)

    assert settled.notification.state is State.FAILED
    assert (settled.notification.card, settled.notification.alert) == (Step.FAILED, Step.FAILED)
    assert settled.effect == ChatIsGone()


def test_a_refused_token_stops_the_bot_and_loses_nothing() -> None:
    settled = settle(calling(SEND_CARD), BotRefused("token not accepted"), RETRY)

    assert settled.notification.state is State.PLANNED
    assert settled.stop == "token not accepted"


@pytest.mark.parametrize("outcome", [Delivered(1), Refused("no"), RetryLater("later"), Uncertain("lost")])
def test_a_row_that_is_not_calling_has_no_outcome(outcome: Outcome) -> None:
    final = a_row(state=State.DELIVERED, card=Step.DONE)

    with pytest.raises(IllegalTransition, match="cannot go from delivered"):
        settle(final, outcome, RETRY)
