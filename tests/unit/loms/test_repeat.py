from itertools import count

import pytest

from services.loms.service.ports import Conflict, DatabaseAway, OutcomeUnknown
from services.loms.service.repeat import ATTEMPTS_MAX, repeated

AGAIN = [Conflict, DatabaseAway, OutcomeUnknown]


class UseCase:
    """Fails as often as told, then answers with the number of its runs."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.runs = 0

    @repeated
    async def __call__(self) -> int:
        self.runs += 1
        if self._failures:
            raise self._failures.pop(0)
        return self.runs


@pytest.mark.parametrize("failure", AGAIN)
async def test_what_may_be_tried_again_runs_the_whole_use_case_again(failure: type[Exception]) -> None:
    assert await UseCase(failure("once"))() == 2


@pytest.mark.parametrize("failure", AGAIN)
async def test_the_last_failure_is_raised_after_the_last_attempt(failure: type[Exception]) -> None:
    numbers = count(1)
    use_case = UseCase(*(failure(f"number {next(numbers)}") for _ in range(20)))

    with pytest.raises(failure, match=f"number {ATTEMPTS_MAX}"):
        await use_case()

    assert use_case.runs == ATTEMPTS_MAX


async def test_what_the_database_refused_is_never_tried_again() -> None:
    use_case = UseCase(PermissionError("no"))

    with pytest.raises(PermissionError):
        await use_case()

    assert use_case.runs == 1
