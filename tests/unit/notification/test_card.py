"""What people read."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.notification.domain.card import ALERTS, Composer
from services.notification.domain.change import AUDIBLE, Status
from services.notification.domain.lane import Assignment, Lane, Moment
from services.notification.domain.message import Message
from services.notification.domain.notification import Call, Notification, Step
from services.notification.domain.seal import Seal
from services.notification.domain.texts import Catalogues, Form, Phrase
from services.notification.texts import catalogues

SEAL = Seal("1000000001:for-tests-only")


def at(minute: int) -> datetime:
    return datetime(2026, 11, 21, 14, minute, tzinfo=UTC)


def an_assignment(*steps: Status, call: Call = Call.SEND_CARD, language: str = "en", **facts: object) -> Assignment:
    trail = tuple(Moment(status, at(3 + place)) for place, status in enumerate(steps))
    row = Notification(
        order_id=42,
        version=len(steps),
        user_id=7,
        chat_id=70,
        status=steps[-1],
        items=3,
        audible=True,
        moment=trail[-1].at,
        card=Step.DONE if call is Call.SEND_ALERT else Step.PENDING,
        alert=Step.PENDING,
    )
    calling = replace(row.begin(call, epoch=1), **facts)  # type: ignore[arg-type]  # a builder's defaults
    lane = Lane(chat_id=70, epoch=1, tickets=1)
    return Assignment(notification=calling, lane=lane, language=language, message_id=None, trail=trail)


def a_message(*steps: Status, call: Call = Call.SEND_CARD, language: str = "en", **facts: object) -> Message:
    composer = Composer(catalogues=catalogues(), seal=SEAL)
    return composer.compose(an_assignment(*steps, call=call, language=language, **facts))


@pytest.mark.parametrize(
    ("steps", "progress"),
    [
        ((Status.NEW,), "✅ Placed 14:03   ▫️ Paid   ▫️ Assembled"),
        ((Status.NEW, Status.AWAITING_PAYMENT), "✅ Placed 14:03   ▫️ Paid   ▫️ Assembled"),
        (
            (Status.NEW, Status.AWAITING_PAYMENT, Status.PAID),
            "✅ Placed 14:03   ✅ Paid 14:05   ▫️ Assembled",
        ),
        ((Status.NEW, Status.FAILED), "✅ Placed 14:03   ❌ Not enough in stock 14:04"),
        (
            (Status.NEW, Status.AWAITING_PAYMENT, Status.CANCELLED),
            "✅ Placed 14:03   ❌ Cancelled 14:05",
        ),
    ],
)
def test_a_card_shows_how_far_the_order_has_come(steps: tuple[Status, ...], progress: str) -> None:
    message = a_message(*steps)

    assert message.text == f"🧾 <b>Order 42</b> · 3 items\n{progress}"
    assert message.html
    assert message.silent


@pytest.mark.parametrize(
    ("items", "title"),
    [
        (1, "🧾 <b>Order 42</b> · 1 item"),
        (5_000_000, "🧾 <b>Order 42</b> · 5,000,000 items"),
        (None, "🧾 <b>Order 42</b>"),
    ],
)
def test_a_card_counts_in_words_or_not_at_all(items: int | None, title: str) -> None:
    message = a_message(Status.NEW, items=items)

    assert message.text.split("\n")[0] == title


def test_a_plain_card_says_the_same_without_markup() -> None:
    message = a_message(Status.NEW, plain=True)

    assert message.text == "🧾 Order 42 · 3 items\n✅ Placed 14:03   ▫️ Paid   ▫️ Assembled"
    assert not message.html


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (Status.PAID, "✅ Order 42 is paid."),
        (Status.FAILED, "❌ Order 42 could not be placed: not enough in stock."),
        (Status.CANCELLED, "🚫 Order 42 was cancelled."),
    ],
)
def test_an_alert_makes_a_sound_and_says_one_thing(status: Status, text: str) -> None:
    message = a_message(Status.NEW, status, call=Call.SEND_ALERT)

    assert message.text == text
    assert not message.silent


@pytest.mark.parametrize(
    ("items", "title"),
    [
        (1, "🧾 <b>Заказ 42</b> · 1 товар"),
        (3, "🧾 <b>Заказ 42</b> · 3 товара"),
        (11, "🧾 <b>Заказ 42</b> · 11 товаров"),
        (5_000_000, "🧾 <b>Заказ 42</b> · 5\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000 товаров"),
    ],
)
def test_a_card_counts_as_its_language_does(items: int, title: str) -> None:
    message = a_message(Status.NEW, Status.AWAITING_PAYMENT, language="ru", items=items)

    assert message.text == f"{title}\n✅ Оформлен 14:03   ▫️ Оплачен   ▫️ Собран"
    assert [button.label for button in message.buttons] == ["Подробнее", "🔕 Без звука ▾", "Отменить заказ"]


def test_every_status_that_must_be_heard_has_words() -> None:
    assert set(ALERTS) == AUDIBLE


@pytest.mark.parametrize("call", [Call.SEND_CARD, Call.EDIT_CARD, Call.SEND_ALERT])
def test_every_button_names_order_and_version_within_telegrams_bound(call: Call) -> None:
    message = a_message(Status.NEW, Status.FAILED, call=call, order_id=2**63 - 1, version=2**63 - 1)

    assert message.buttons
    for button in message.buttons:
        assert button.data.startswith(f"o:{2**63 - 1}:{2**63 - 1}:")
        assert len(button.data.encode()) <= 64
        assert SEAL.open(70, button.data) is not None


def test_an_order_can_be_cancelled_only_while_it_waits() -> None:
    waiting = a_message(Status.NEW, Status.AWAITING_PAYMENT)
    over = a_message(Status.NEW, Status.AWAITING_PAYMENT, Status.PAID)

    assert [button.label for button in waiting.buttons] == ["Details", "🔕 Mute ▾", "Cancel order"]
    assert [button.label for button in over.buttons] == ["Details", "🔕 Mute ▾"]


def test_a_language_we_do_not_speak_is_answered_in_english() -> None:
    assert a_message(Status.NEW, language="tlh") == a_message(Status.NEW)


def test_words_of_a_catalogue_are_escaped() -> None:
    english = catalogues().of("en")
    words = replace(english, phrases={**english.phrases, Phrase.PLACED: {Form.OTHER: "<Placed> & more"}})

    message = Composer(catalogues=Catalogues({"en": words}), seal=SEAL).compose(an_assignment(Status.NEW))

    assert message.text.endswith("✅ &lt;Placed&gt; &amp; more 14:03   ▫️ Paid   ▫️ Assembled")
