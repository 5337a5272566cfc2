"""The same rule within one process: for one that is alone, and for each one's part while nobody is shared."""

import time
from collections.abc import Callable

from chassis.limits.limiter import Ask, Held, Rate, Taken

_KEYS_KEPT_MAX = 10_000


class LocalLimiter:
    """Keeps `1 / parts` of every rate it is asked for; memory is bounded, idle keys are forgotten."""

    def __init__(self, *, parts: int = 1, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._monotonic = monotonic
        self._idle_at: dict[str, float] = {}
        self._paused_until: dict[str, float] = {}
        self._since = monotonic()

    async def take(self, *asks: Ask) -> Taken | Held:
        """Take a slot of every key, or of none if one of them has none within its `ahead_seconds`."""
        waits = [self._wait(ask) for ask in asks]
        wait = max(waits, default=0.0)
        if any(own > ask.ahead_seconds for own, ask in zip(waits, asks, strict=True)):
            return Held(wait, by=asks[waits.index(wait)].key)
        now = self._monotonic()
        for ask in asks:
            idle = max(self._idle_at.get(ask.key, 0.0), now + wait)
            self._idle_at[ask.key] = idle + self._part(ask).spacing_seconds
        self._forget_idle(now)
        return Taken(wait)

    async def look(self, ask: Ask) -> float:
        """Say in how many seconds the next slot of a key is free, and take nothing."""
        return self._wait(ask)

    async def pause(self, ask: Ask, seconds: float) -> None:
        """Give out no slot of a key for so long; a longer pause is never shortened."""
        now = self._monotonic()
        self._paused_until[ask.key] = max(self._paused_until.get(ask.key, 0.0), now + seconds)
        self._paused_until = _after(now, self._paused_until)

    def paused(self, asks: tuple[Ask, ...]) -> Held | None:
        """Say which of the keys is paused longer than its asker would wait, if one is."""
        now = self._monotonic()
        waits = [(self._paused_until.get(ask.key, 0.0) - now, ask) for ask in asks]
        return next((Held(wait, by=ask.key) for wait, ask in waits if wait > ask.ahead_seconds), None)

    def note(self, asks: tuple[Ask, ...], wait_seconds: float) -> None:
        """Remember slots somebody else gave out: at its own rate, which may be higher than this one's part."""
        now = self._monotonic()
        for ask in asks:
            idle = now + wait_seconds + self._part(ask).spacing_seconds
            self._idle_at[ask.key] = max(self._idle_at.get(ask.key, 0.0), idle)
        self._forget_idle(now)

    def begin(self) -> None:
        """From now on this process is on its own: of what the others called before, nothing is known."""
        self._since = self._monotonic()

    def _wait(self, ask: Ask) -> float:
        opens = max(
            self._idle_at.get(ask.key, 0.0) - self._part(ask).leeway_seconds,
            self._paused_until.get(ask.key, 0.0),
            self._since + ask.rate.unknown_seconds,
        )
        return max(0.0, opens - self._monotonic())

    def _forget_idle(self, now: float) -> None:
        if len(self._idle_at) > _KEYS_KEPT_MAX:
            self._idle_at = _after(now, self._idle_at)

    def _part(self, ask: Ask) -> Rate:
        return ask.rate.part(self._parts)


def _after(now: float, moments: dict[str, float]) -> dict[str, float]:
    return {key: moment for key, moment in moments.items() if moment > now}
