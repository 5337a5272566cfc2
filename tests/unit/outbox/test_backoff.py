"""Waits grow, spread, stay below their ceiling, and start anew after a success."""

import random

from outbox.backoff import Backoff


class AlwaysLatest(random.Random):
    """Chance at its unkindest."""

    def random(self) -> float:
        return 1.0


def test_waits_double_up_to_the_ceiling() -> None:
    backoff = Backoff(seconds_min=0.1, seconds_max=0.5, chance=AlwaysLatest())

    assert [round(backoff.failed(), 2) for _ in range(5)] == [0.1, 0.2, 0.4, 0.5, 0.5]


def test_a_success_starts_anew() -> None:
    backoff = Backoff(seconds_min=0.1, seconds_max=5, chance=AlwaysLatest())
    for _ in range(4):
        backoff.failed()

    backoff.succeeded()

    assert round(backoff.failed(), 2) == 0.1


def test_two_who_failed_together_do_not_come_back_together() -> None:
    waits = set()
    for seed in range(20):
        backoff = Backoff(seconds_max=5, chance=random.Random(seed))
        waits.add([backoff.failed() for _ in range(4)][-1])

    assert len(waits) == 20
    assert all(0.05 <= wait <= 0.4 for wait in waits)
