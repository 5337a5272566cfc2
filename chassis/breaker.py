"""A circuit breaker: a neighbour that fails most calls is left alone for a while, so that it can come back.

Closed, it counts the calls of a sliding window. Once `calls_min` were made and at least `failure_share` failed, it
opens: calls are refused at once for `open_seconds`. Then it lets one call through; its success closes the breaker, its
failure opens it again. Who comes while that one is out waits for its outcome: siblings of the same request that failed
at once would cancel it, and nothing would ever be learnt. One failure among few calls never opens it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")


class CircuitOpen(Exception):
    """The call was not made: the neighbour failed too often just now."""


class Breaker:
    """Stands before one neighbour. `is_failure` tells its failures from its answers, which may be refusals."""

    def __init__(
        self,
        *,
        is_failure: Callable[[BaseException], bool],
        calls_min: int = 20,
        failure_share: float = 0.5,
        window_seconds: float = 10.0,
        open_seconds: float = 2.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_failure = is_failure
        self._calls_min = calls_min
        self._failure_share = failure_share
        self._window_seconds = window_seconds
        self._open_seconds = open_seconds
        self._monotonic = monotonic
        self._calls: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._opened_at: float | None = None
        self._trial: asyncio.Event | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls are refused now."""
        return self._opened_at is not None

    async def call(self, make: Callable[[], Awaitable[Result]]) -> Result:
        """Make the call; raise CircuitOpen instead when the neighbour is left alone.

        May first wait for the call that decides, as long as that one may take; the caller's own end cancels the wait.
        """
        while self._opened_at is not None:
            if self._trial is not None:
                await self._trial.wait()
            elif self._monotonic() - self._opened_at < self._open_seconds:
                raise CircuitOpen
            else:
                return await self._tried(make)
        return await self._counted(make)

    async def _counted(self, make: Callable[[], Awaitable[Result]]) -> Result:
        try:
            result = await make()
        except Exception as error:
            self._count(failed=self._is_failure(error))
            raise
        self._count(failed=False)
        return result

    async def _tried(self, make: Callable[[], Awaitable[Result]]) -> Result:
        """Make the one call that decides; if it is cancelled nothing was learnt, and one of those who wait decides."""
        trial = self._trial = asyncio.Event()
        try:
            result = await make()
        except Exception as error:
            if self._is_failure(error):
                self._opened_at = self._monotonic()
            else:
                self._close()
            raise
        else:
            self._close()
            return result
        finally:
            self._trial = None
            trial.set()

    def _close(self) -> None:
        self._opened_at = None
        self._forget()

    def _count(self, *, failed: bool) -> None:
        if self._opened_at is not None:  # it began before the breaker opened and says nothing of now
            return
        now = self._monotonic()
        self._calls.append((now, failed))
        self._failures += failed
        while self._calls[0][0] < now - self._window_seconds:
            self._failures -= self._calls.popleft()[1]
        if len(self._calls) >= self._calls_min and self._failures >= self._failure_share * len(self._calls):
            self._opened_at = now
            self._forget()

    def _forget(self) -> None:
        self._calls.clear()
        self._failures = 0
