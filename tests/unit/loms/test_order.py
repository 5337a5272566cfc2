from datetime import UTC, datetime

import pytest

from services.loms.domain.errors import IllegalTransition
from services.loms.domain.ids import OrderId, Sku, UserId
from services.loms.domain.items import Item
from services.loms.domain.order import ALLOWED, INSTANT, Order, Status, StatusChange, placement

PLACED = datetime(2026, 11, 20, 14, 3, 11, tzinfo=UTC)
LATER = datetime(2026, 11, 20, 14, 4, 0, 123456, tzinfo=UTC)


def an_order(*, status: Status = Status.AWAITING_PAYMENT, version: int = 2) -> Order:
    return Order(
        id=OrderId(42),
        user_id=UserId(7),
        items=(Item(Sku(1002), 2), Item(Sku(1003), 3)),
        status=status,
        version=version,
        changed_at=PLACED,
        locked_at=LATER,
    )


def test_the_first_fact_of_an_order_is_new_with_version_one() -> None:
    order = an_order(status=Status.NEW, version=1)

    assert order.created() == StatusChange(OrderId(42), UserId(7), 5, Status.NEW, 1, PLACED)


def test_a_complete_reservation_makes_the_order_await_payment() -> None:
    order = an_order(status=Status.NEW, version=1)

    change = order.settle(reserved=True, at=LATER)

    assert change == StatusChange(OrderId(42), UserId(7), 5, Status.AWAITING_PAYMENT, 2, LATER)
    assert (order.status, order.version, order.changed_at) == (Status.AWAITING_PAYMENT, 2, LATER)


def test_a_short_reservation_fails_the_order() -> None:
    order = an_order(status=Status.NEW, version=1)

    change = order.settle(reserved=False, at=LATER)

    assert (change.status, change.version) == (Status.FAILED, 2)


def test_a_placement_says_both_things_that_can_become_of_a_new_order() -> None:
    order = an_order(status=Status.NEW, version=1)

    placed = placement(order)

    soon = PLACED + INSTANT
    assert placed.items == order.items
    assert placed.created == StatusChange(OrderId(42), UserId(7), 5, Status.NEW, 1, PLACED)
    assert placed.if_reserved == StatusChange(OrderId(42), UserId(7), 5, Status.AWAITING_PAYMENT, 2, soon)
    assert placed.if_short == StatusChange(OrderId(42), UserId(7), 5, Status.FAILED, 2, soon)
    assert (order.status, order.version) == (Status.NEW, 1)


def test_paying_an_order_that_awaits_payment_is_one_step() -> None:
    order = an_order()

    change = order.pay(at=LATER)

    assert change == StatusChange(OrderId(42), UserId(7), 5, Status.PAID, 3, LATER)


def test_cancelling_an_order_that_awaits_payment_is_one_step() -> None:
    order = an_order()

    change = order.cancel(at=LATER)

    assert change == StatusChange(OrderId(42), UserId(7), 5, Status.CANCELLED, 3, LATER)


def test_paying_a_paid_order_and_cancelling_a_cancelled_one_is_no_step() -> None:
    paid, cancelled = an_order(status=Status.PAID, version=3), an_order(status=Status.CANCELLED, version=3)

    assert paid.pay(at=LATER) is None
    assert cancelled.cancel(at=LATER) is None
    assert (paid.version, paid.changed_at) == (3, PLACED)
    assert (cancelled.version, cancelled.changed_at) == (3, PLACED)


@pytest.mark.parametrize("status", [Status.NEW, Status.FAILED, Status.CANCELLED])
def test_paying_is_refused_from_any_other_status_and_changes_nothing(status: Status) -> None:
    order = an_order(status=status)

    with pytest.raises(IllegalTransition, match=f"order 42 is {status}: it cannot become paid"):
        order.pay(at=LATER)

    assert order == an_order(status=status)


@pytest.mark.parametrize("status", [Status.NEW, Status.FAILED, Status.PAID])
def test_cancelling_is_refused_from_any_other_status_and_changes_nothing(status: Status) -> None:
    order = an_order(status=status)

    with pytest.raises(IllegalTransition):
        order.cancel(at=LATER)

    assert order == an_order(status=status)


def test_failed_paid_and_cancelled_are_final() -> None:
    final = set(Status) - set(ALLOWED)

    assert final == {Status.FAILED, Status.PAID, Status.CANCELLED}


def test_the_statuses_are_spelled_as_callers_know_them() -> None:
    assert [str(status) for status in Status] == ["new", "awaiting payment", "failed", "paid", "cancelled"]
