"""What is known of an order and of the last minutes depends on what was published, never on how it arrived."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from chassis.testing import SteppedClock
from services.projection.domain.figures import Figures, Minutes
from services.projection.domain.view import OrderView, StatusChange
from services.projection.service.projection import Projection, Stretch

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PAID = ("new", "awaiting payment", "paid")
FAILED = ("new", "failed")
CANCELLED = ("new", "awaiting payment", "cancelled")


def life(
    order_id: int, statuses: Sequence[str], *, first_at: datetime = NOON, each: float = 10.0
) -> list[StatusChange]:
    return [
        StatusChange(
            order_id=order_id,
            version=version,
            status=status,
            moment=first_at + timedelta(seconds=each * (version - 1)),
            user_id=7,
        )
        for version, status in enumerate(statuses, start=1)
    ]


def projection_of(changes: Sequence[StatusChange]) -> Projection:
    projection = Projection()
    for change in changes:
        projection.apply(change)
    return projection


def test_an_order_is_shown_as_its_last_event_left_it() -> None:
    projection = projection_of(life(42, PAID))

    assert projection.order(42) == OrderView(
        order_id=42,
        user_id=7,
        status="paid",
        version=3,
        changed_at=NOON + timedelta(seconds=20),
        created_at=NOON,
        paid_at=NOON + timedelta(seconds=20),
    )
    assert projection.order(43) is None


def test_figures_tell_how_many_how_soon_and_how_often_not() -> None:
    orders = [life(1, PAID), life(2, PAID, each=30.0), life(3, FAILED), life(4, CANCELLED), life(5, ("new",))]
    projection = projection_of([change for changes in orders for change in changes])

    assert projection.figures(until=NOON + timedelta(seconds=90), minutes=2) == Figures(
        minutes=2,
        created=5,
        paid=2,
        failed=1,
        cancelled=1,
        orders_per_minute=2.5,
        seconds_to_paid=40.0,
        failure_share=0.2,
    )
    assert projection.statuses() == {"paid": 2, "failed": 1, "cancelled": 1, "new": 1}


def test_a_figure_without_anything_to_divide_by_is_none() -> None:
    figures = Projection().figures(until=NOON, minutes=5)

    assert (figures.orders_per_minute, figures.seconds_to_paid, figures.failure_share) == (0.0, None, None)


def test_a_stretch_holds_the_running_minute_and_the_whole_ones_before() -> None:
    orders = [life(number, ("new",), first_at=NOON + timedelta(minutes=number)) for number in range(5)]
    projection = projection_of([change for changes in orders for change in changes])

    assert projection.figures(until=NOON + timedelta(minutes=3, seconds=59), minutes=2).created == 2


@pytest.mark.parametrize("seed", range(20))
def test_repeats_and_any_order_of_arrival_come_to_the_same(seed: int) -> None:
    drawn = random.Random(seed)
    orders = [life(n, drawn.choice((PAID, FAILED, CANCELLED)), first_at=NOON + timedelta(seconds=n)) for n in range(40)]
    changes = [change for order in orders for change in order]
    mixed_up = changes + drawn.choices(changes, k=60)
    drawn.shuffle(mixed_up)

    straight, crooked = projection_of(changes), projection_of(mixed_up)

    assert [crooked.order(n) for n in range(40)] == [straight.order(n) for n in range(40)]
    assert crooked.statuses() == straight.statuses()
    assert crooked.figures(until=NOON, minutes=5) == straight.figures(until=NOON, minutes=5)


def test_minutes_older_than_a_day_are_forgotten() -> None:
    minutes = Minutes(kept=timedelta(days=1))
    for order_id, at in ((1, NOON - timedelta(hours=25)), (2, NOON), (3, NOON - timedelta(hours=25))):
        minutes.replace(
            None, OrderView(order_id=order_id, user_id=7, status="new", version=1, changed_at=at, created_at=at)
        )

    assert minutes.figures(until=NOON, minutes=26 * 60).created == 1


def test_a_moment_yet_to_come_empties_nothing() -> None:
    minutes = Minutes(now=SteppedClock(NOON).now)
    for order_id, at in ((1, NOON), (2, NOON.replace(year=2999)), (3, NOON)):
        minutes.replace(
            None, OrderView(order_id=order_id, user_id=7, status="new", version=1, changed_at=at, created_at=at)
        )

    assert minutes.figures(until=NOON, minutes=60).created == 2


def test_it_is_whole_when_every_record_that_was_there_is_passed() -> None:
    projection = Projection()

    projection.begin({0: Stretch(10, 13), 1: Stretch(5, 5)})
    missing = [projection.records_missing]
    for offset in (10, 11, 12, 13):
        projection.passed(0, offset)
        missing.append(projection.records_missing)

    assert missing == [3, 2, 1, 0, 0]


def test_to_begin_again_is_to_forget() -> None:
    projection = projection_of(life(1, PAID))

    projection.begin({})

    assert projection.order(1) is None
    assert projection.statuses() == {}
    assert projection.figures(until=NOON, minutes=1).created == 0
