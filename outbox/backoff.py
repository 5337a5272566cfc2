"""How long to wait before the next attempt: longer each time, never the same for two who failed together."""

import random


class Backoff:
    """Doubling with full jitter between a floor and a ceiling.

    Args:
        seconds_max: the ceiling.
        seconds_min: the floor, and where it starts anew after a success.
        chance: a number between 0 and 1.
    """

    def __init__(self, *, seconds_max: float, seconds_min: float = 0.05, chance: random.Random | None = None) -> None:
        self._min = seconds_min
        self._max = seconds_max
        self._chance = chance or random.Random()  # noqa: S311 - spreads attempts, guards nothing
        self._next = seconds_min

    def failed(self) -> float:
        """Seconds to wait now."""
        ceiling, self._next = self._next, min(self._next * 2, self._max)
        return self._min + (ceiling - self._min) * self._chance.random()

    def succeeded(self) -> None:
        """Start anew."""
        self._next = self._min
