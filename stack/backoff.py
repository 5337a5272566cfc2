"""How long to wait before a crashed process starts again: hardly the first time, then longer, capped, forgiven."""

from collections.abc import Callable

DELAYS_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
FORGIVEN_AFTER_SECONDS = 30.0


class Backoff:
    """The waits of one process. `monotonic` tells the seconds; a life of FORGIVEN_AFTER_SECONDS starts the row anew."""

    def __init__(self, *, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._crashes = 0
        self._started_at = monotonic()

    @property
    def crashes(self) -> int:
        """How often in a row it ended before it was forgiven."""
        return self._crashes

    def started(self) -> None:
        """Note that a life begins now."""
        self._started_at = self._monotonic()

    def crashed(self) -> float:
        """Note that it ended now; returns the seconds to wait before it starts again."""
        if self._monotonic() - self._started_at >= FORGIVEN_AFTER_SECONDS:
            self._crashes = 0
        self._crashes += 1
        return DELAYS_SECONDS[min(self._crashes, len(DELAYS_SECONDS)) - 1]
