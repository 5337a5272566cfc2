from stack.backoff import DELAYS_SECONDS, FORGIVEN_AFTER_SECONDS, Backoff


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_crash_waits_hardly_and_later_ones_longer_up_to_a_bound() -> None:
    backoff = Backoff(monotonic=Seconds())

    waits = [backoff.crashed() for _ in range(8)]

    assert waits == [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 10.0, 10.0]
    assert backoff.crashes == 8


def test_a_long_life_is_forgiven_its_end() -> None:
    seconds = Seconds()
    backoff = Backoff(monotonic=seconds)
    for _ in range(4):
        backoff.crashed()

    backoff.started()
    seconds.now += FORGIVEN_AFTER_SECONDS

    assert backoff.crashed() == DELAYS_SECONDS[0]


def test_a_short_life_is_not() -> None:
    seconds = Seconds()
    backoff = Backoff(monotonic=seconds)
    backoff.crashed()

    backoff.started()
    seconds.now += FORGIVEN_AFTER_SECONDS - 1

    assert backoff.crashed() == DELAYS_SECONDS[1]
