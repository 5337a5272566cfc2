"""What any clock promises: the machine's own, and the one tests move."""

from datetime import UTC, datetime, timedelta

import pytest

from chassis.clock import Clock, SystemClock
from chassis.testing import SteppedClock

START = datetime(2026, 11, 21, 8, tzinfo=UTC)


@pytest.fixture(params=[SystemClock(), SteppedClock(START)], ids=["system", "stepped"])
def clock(request: pytest.FixtureRequest) -> Clock:
    given: Clock = request.param
    return given


def test_a_moment_is_aware_and_in_utc(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta(0)


def test_time_does_not_run_backwards(clock: Clock) -> None:
    first = clock.now()

    assert clock.now() >= first


def test_a_stepped_clock_moves_only_when_told_to() -> None:
    clock = SteppedClock(START)

    clock.advance(90)

    assert clock.now() == datetime(2026, 11, 21, 8, 1, 30, tzinfo=UTC)
