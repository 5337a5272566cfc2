"""The rest between two looks, as our relay takes it: until a wake, at most 2 ms, growing to 50 ms while quiet."""

import asyncio
import contextlib

_SECONDS_MIN, _SECONDS_MAX, _GROWTH = 0.002, 0.05, 1.5


class Rest:
    """Rests between looks."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self._seconds = _SECONDS_MIN

    async def take(self, *, found: bool) -> None:
        """Rest; shortly after something was found."""
        self._seconds = _SECONDS_MIN if found else min(self._seconds * _GROWTH, _SECONDS_MAX)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.heard.wait(), self._seconds)
