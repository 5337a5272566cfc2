"""Every call for a chat as it arrived, refused or not: what the acceptance log does not tell.

In memory, the newest only: for tests and measurements that ask when a chat was called and what it was answered.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass

_CALLS_KEPT_MAX = 100_000
LOST = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. `at` counts seconds by a clock that only runs forward; `code` is the answer's, LOST if it got lost."""

    number: int
    at: float
    method: str
    chat_id: int
    code: int
    retry_after: int | None = None


class Calls:
    """The newest hundred thousand calls."""

    def __init__(self, *, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._calls: deque[Call] = deque(maxlen=_CALLS_KEPT_MAX)
        self._count = 0

    def now(self) -> float:
        """The moment to note a call with: that of its arrival."""
        return self._monotonic()

    def note(self, *, at: float, method: str, chat_id: int, code: int, retry_after: int | None = None) -> None:
        """Write one down when it is answered."""
        self._count += 1
        call = Call(number=self._count, at=at, method=method, chat_id=chat_id, code=code, retry_after=retry_after)
        self._calls.append(call)

    def since(self, number: int) -> list[dict[str, object]]:
        """Give the calls after the one with this number, in the order of their answers."""
        return [asdict(call) for call in self._calls if call.number > number]
