"""Rates as numbers: spacing, bursts, and the parts processes keep on their own."""

import pytest

from chassis.limits import Ask, Held, LocalLimiter, Rate, Taken
from chassis.limits.limiter import BadRate


class Watch:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_ten_a_second_are_105_milliseconds_apart() -> None:
    assert Rate(calls=10, seconds=1.0).spacing_seconds == pytest.approx(0.105)


def test_a_burst_is_paid_for_by_wider_spacing() -> None:
    group = Rate(calls=20, seconds=60.0, burst=5, margin=0.0)

    assert group.spacing_seconds == pytest.approx(60 / 16)
    assert group.leeway_seconds == pytest.approx(4 * 60 / 16)


@pytest.mark.parametrize(("parts", "calls"), [(1, 10), (2, 5), (3, 3), (4, 2), (10, 1)])
def test_a_part_of_a_rate_is_rounded_down(parts: int, calls: int) -> None:
    part = Rate(calls=10, seconds=1.0).part(parts)

    assert (part.calls, part.seconds) == (calls, 1.0)


def test_a_part_smaller_than_one_call_is_a_longer_window() -> None:
    part = Rate(calls=1, seconds=1.0).part(3)

    assert (part.calls, part.seconds) == (1, 3.0)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("calls", {"calls": 0, "seconds": 1.0}),
        ("seconds", {"calls": 1, "seconds": 0.0}),
        ("burst", {"calls": 1, "seconds": 1.0, "burst": 2}),
        ("margin", {"calls": 1, "seconds": 1.0, "margin": 2.0}),
    ],
)
def test_a_rate_nobody_can_keep_is_refused_by_name(field: str, wrong: dict[str, float]) -> None:
    with pytest.raises(BadRate, match=field):
        Rate(**wrong)  # type: ignore[arg-type]  # wrong on purpose


async def test_three_processes_on_their_own_keep_the_rate_together() -> None:
    watch, rate = Watch(), Rate(calls=10, seconds=1.0)
    processes = [LocalLimiter(parts=3, monotonic=watch) for _ in range(3)]
    moments = []

    for _ in range(4_000):
        answers = [await process.take(Ask(key="product", rate=rate)) for process in processes]
        moments += [watch.now for answer in answers if isinstance(answer, Taken)]
        watch.now += 0.001

    assert len(moments) >= 3 * 3 * 3
    assert max(sum(begin <= moment < begin + 1.0 for moment in moments) for begin in moments) <= 10


async def test_slots_come_back_with_time() -> None:
    watch, ask = Watch(), Ask(key="chat", rate=Rate(calls=1, seconds=1.0))
    limiter = LocalLimiter(monotonic=watch)
    await limiter.take(ask)
    watch.now += 1.0
    held = await limiter.take(ask)

    watch.now += 0.051

    assert isinstance(held, Held)
    assert held.wait_seconds == pytest.approx(0.05)
    assert await limiter.take(ask) == Taken(0.0)


async def test_idle_keys_are_forgotten() -> None:
    watch = Watch()
    limiter = LocalLimiter(monotonic=watch)

    for chat in range(30_000):
        await limiter.take(Ask(key=f"chat {chat}", rate=Rate(calls=1, seconds=1.0)))
        watch.now += 0.001

    assert len(limiter._idle_at) <= 10_001


async def test_what_was_called_at_the_shared_rate_delays_the_own_part_by_one_spacing_and_no_more() -> None:
    watch, ask = Watch(), Ask(key="bot", rate=Rate(calls=30, seconds=1.0))
    limiter = LocalLimiter(parts=3, monotonic=watch)
    for _ in range(1_000):
        limiter.note((ask,), 0.0)
        watch.now += 0.035

    limiter.begin()

    assert await limiter.look(ask) == pytest.approx(0.105 - 0.035)


async def test_after_a_beginning_a_strict_key_waits_for_its_window() -> None:
    watch, strict = Watch(), Ask(key="product", rate=Rate(calls=10, seconds=1.0, unknown_seconds=1.0))
    limiter = LocalLimiter(monotonic=watch)
    watch.now += 5.0
    assert await limiter.take(strict) == Taken(0.0)
    watch.now += 5.0

    limiter.begin()

    assert await limiter.look(strict) == pytest.approx(1.0)
