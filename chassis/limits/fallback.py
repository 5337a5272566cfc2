"""Shared while Valkey answers, each process for its own part while it does not.

Invariants: nobody waits for a Valkey that is known to be away; a pause is kept whatever Valkey forgets; a key with
`unknown_seconds` is quiet for so long on both ways, so that the calls before the change and after it never add up.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from chassis import metrics
from chassis.limits.limiter import Ask, Held, Limiter, LimiterAway, Taken
from chassis.limits.local import LocalLimiter
from chassis.logs import get_logger

log = get_logger()
_Answer = TypeVar("_Answer")


class Shared(Limiter, Protocol):
    """The limiter to fall back from."""

    async def check(self) -> None:
        """Raise LimiterAway unless slots can be had."""
        ...

    async def stop(self) -> None:
        """Give everything back."""
        ...


class FallbackLimiter:
    """A component. `look_seconds` is the pause between two looks whether Valkey is back."""

    name = "limits"

    def __init__(self, *, shared: Shared, local: LocalLimiter, look_seconds: float = 0.5) -> None:
        self._shared = shared
        self._local = local
        self._look_seconds = look_seconds
        self._away: asyncio.Task[None] | None = None
        self._trusted: set[str] | None = None

    async def start(self) -> None:
        """Begin shared; the first call finds out."""
        metrics.LIMITS_LOCAL.set(0)

    async def stop(self) -> None:
        """End the look-out and the connections."""
        if self._away is not None:
            self._away.cancel()
            await asyncio.wait([self._away])
        await self._shared.stop()

    async def take(self, *asks: Ask) -> Taken | Held:
        """Take a slot of every key, or of none if one of them has none within its `ahead_seconds`."""
        if held := self._local.paused(asks):
            return held

        async def shared() -> Taken | Held:
            await self._quiet_after_return(asks)
            answer = await self._shared.take(*asks)
            if isinstance(answer, Taken):
                self._local.note(asks, answer.wait_seconds)
            return answer

        return await self._answered(shared, lambda: self._local.take(*asks))

    async def look(self, ask: Ask) -> float:
        """Say in how many seconds the next slot of a key is free, and take nothing."""
        if held := self._local.paused((ask,)):
            return held.wait_seconds
        return await self._answered(lambda: self._shared.look(ask), lambda: self._local.look(ask))

    async def pause(self, ask: Ask, seconds: float) -> None:
        """Give out no slot of a key for so long, shared or not; a longer pause is never shortened."""
        await self._local.pause(ask, seconds)
        await self._answered(lambda: self._shared.pause(ask, seconds), _nothing)

    async def _answered(
        self, shared: Callable[[], Awaitable[_Answer]], local: Callable[[], Awaitable[_Answer]]
    ) -> _Answer:
        if self._away is None:
            try:
                return await shared()
            except LimiterAway as error:
                self._fall_back(error)
        return await local()

    def _fall_back(self, error: LimiterAway) -> None:
        if self._away is not None:
            return
        log.warning("limits.local", reason=str(error))
        metrics.LIMITS_FALLBACKS.inc()
        metrics.LIMITS_LOCAL.set(1)
        self._local.begin()
        self._away = asyncio.create_task(self._return_when_back(), context=contextvars.Context())

    async def _return_when_back(self) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            with contextlib.suppress(LimiterAway):
                await self._shared.check()
                break
        self._trusted, self._away = set(), None
        metrics.LIMITS_LOCAL.set(0)
        log.info("limits.shared")

    async def _quiet_after_return(self, asks: tuple[Ask, ...]) -> None:
        """Others may still be on their own until their next look; their calls are to lie a window behind us."""
        if self._trusted is None:
            return
        for ask in asks:
            if ask.rate.unknown_seconds and ask.key not in self._trusted:
                await self._shared.pause(ask, ask.rate.unknown_seconds + self._look_seconds)
                self._trusted.add(ask.key)


async def _nothing() -> None:
    return None
