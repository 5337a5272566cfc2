"""Stand-ins for tests alone; each passes the same suite as the real thing."""

from datetime import datetime, timedelta


class SteppedClock:
    """A clock that moves only when told to."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the moment the clock was last moved to."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock forward by so many seconds."""
        self._now += timedelta(seconds=seconds)
