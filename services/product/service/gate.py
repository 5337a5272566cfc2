"""A catalogue as busy and as slow as one likes: its limit of calls, and a latency for tests and demos."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from services.product.domain.errors import TooManyCalls

_WINDOW_SECONDS = 1.0


class LoadGate:
    """Starts at most `calls_per_second_max` calls in any one second (0: no bound); each then takes `latency_seconds`.

    The window slides: a call is counted from its own start for exactly one second. A refused call is not counted.
    """

    def __init__(
        self,
        *,
        latency_seconds: float = 0.0,
        calls_per_second_max: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._latency_seconds = latency_seconds
        self._calls_per_second_max = calls_per_second_max
        self._monotonic = monotonic
        self._starts: deque[float] = deque(maxlen=calls_per_second_max)

    async def enter(self) -> None:
        """Return after the latency; raise TooManyCalls at once when the second is full."""
        if self._calls_per_second_max:
            self._count()
        if self._latency_seconds:
            await asyncio.sleep(self._latency_seconds)

    def _count(self) -> None:
        now = self._monotonic()
        is_full = len(self._starts) == self._calls_per_second_max
        if is_full and now - self._starts[0] < _WINDOW_SECONDS:
            raise TooManyCalls(self._calls_per_second_max)
        self._starts.append(now)
