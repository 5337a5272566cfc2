import pytest

from services.loms.service.ports import Conflict
from services.loms.service.repeat import ATTEMPTS_MAX, repeated_on_conflict


class UseCase:
    """Fails as often as told, then answers with the number of its runs."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.runs = 0

    @repeated_on_conflict
    async def __call__(self) -> int:
        self.runs += 1
        if self._failures:
            raise self._failures.pop(0)
        return self.runs


async def test_a_conflict_runs_the_whole_use_case_again() -> None:
    assert await UseCase(Conflict("deadlock"))() == 2


async def test_the_last_conflict_is_raised_after_the_last_attempt() -> None:
    use_case = UseCase(*(Conflict(f"deadlock {number}") for number in range(1, 20)))

    with pytest.raises(Conflict, match=f"deadlock {ATTEMPTS_MAX}"):
        await use_case()

    assert use_case.runs == ATTEMPTS_MAX


async def test_an_unknown_outcome_is_never_tried_again() -> None:
    use_case = UseCase(ConnectionError("lost while committing"))

    with pytest.raises(ConnectionError):
        await use_case()

    assert use_case.runs == 1
