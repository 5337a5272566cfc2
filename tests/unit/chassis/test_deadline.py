"""A deadline is known below its door, and never lengthened."""

from chassis.deadline import deadline, remaining


def test_without_a_deadline_the_most_is_left() -> None:
    assert remaining(0.5) == 0.5


def test_an_inner_deadline_shortens_and_never_lengthens() -> None:
    with deadline(10):
        with deadline(1):
            assert 0 < remaining(5) <= 1
        with deadline(60):
            assert 5 < remaining(60) <= 10
        assert remaining(0.5) == 0.5
    assert remaining(60) == 60


def test_nothing_is_left_after_its_end() -> None:
    with deadline(0):
        assert remaining(1) == 0
