"""How tests wait."""

import pytest

from tests.waiting import eventually


async def test_the_first_truthy_answer_is_returned() -> None:
    answers = iter([None, 0, "paid"])

    assert await eventually(lambda: next(answers), every=0.001) == "paid"


async def test_an_assertion_that_fails_is_not_yet() -> None:
    answers = iter([1, 2])

    async def second() -> bool:
        answer = next(answers)
        assert answer == 2
        return True

    assert await eventually(second, every=0.001)


async def test_the_last_answer_is_told_when_time_is_up() -> None:
    with pytest.raises(AssertionError, match="the answer is still 0"):
        await eventually(lambda: 0, within=0.01, every=0.001)


async def test_the_last_failed_assertion_is_told_when_time_is_up() -> None:
    def never() -> bool:
        raise AssertionError("two rows, not one")

    with pytest.raises(AssertionError, match="two rows, not one"):
        await eventually(never, within=0.01, every=0.001)
