"""A client-side interceptor that starts calls no faster than a rate, over all requests and all replicas.

It waits within the call's own deadline; a slot that would come too late is not taken, and the call is not made. A slot
is good for a moment only: a call that could not start then, because this process was busy, takes another one, so that
late calls never meet the next ones in one second.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import grpc

from chassis.limits import Ask, Held, Limiter, Rate
from services.cart.domain.errors import DeadlinePassed
from services.cart.metrics import PACE_HELD, PACE_LATE, PACE_WAIT_SECONDS

_OF_THE_MARGIN = 0.25
"""How much of the spacing's margin a start may be late; the rest is the network's."""


class Paced(grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg] # generic for mypy alone
    """Stands before every call of one neighbour; `key` names the rate all its callers share.

    A call has its own deadline for its slot and its answer, and `call_seconds_max` of it for the answer.
    """

    def __init__(
        self,
        *,
        limiter: Limiter,
        key: str,
        rate: Rate,
        neighbour: str,
        wait_seconds_max: float,
        call_seconds_max: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limiter = limiter
        self._key = key
        self._rate = rate
        self._neighbour = neighbour
        self._wait_seconds_max = wait_seconds_max
        self._call_seconds_max = call_seconds_max
        self._monotonic = monotonic
        self._late_seconds_max = rate.seconds * rate.margin * _OF_THE_MARGIN

    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Any],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        """Take a slot, wait for it, call; raise DeadlinePassed instead of calling where none comes in time."""
        began = self._monotonic()
        timeout = client_call_details.timeout
        ends_at = began + (self._wait_seconds_max if timeout is None else timeout)
        while not await self._came_in_time(ends_at):
            PACE_LATE.inc()
        PACE_WAIT_SECONDS.observe(self._monotonic() - began)
        left = min(ends_at - self._monotonic(), self._call_seconds_max)
        return await continuation(_bounded(client_call_details, left), request)

    async def _came_in_time(self, ends_at: float) -> bool:
        """Wait for a slot; say whether it is still good. Raises DeadlinePassed when it would come after the end."""
        asked_at = self._monotonic()
        ahead = min(ends_at - asked_at, self._wait_seconds_max)
        slot = await self._limiter.take(Ask(key=self._key, rate=self._rate, ahead_seconds=ahead)) if ahead > 0 else None
        if slot is None or isinstance(slot, Held):
            PACE_HELD.inc()
            raise DeadlinePassed(self._neighbour)
        await asyncio.sleep(slot.wait_seconds)
        return self._monotonic() <= min(asked_at + slot.wait_seconds + self._late_seconds_max, ends_at)


def _bounded(details: grpc.aio.ClientCallDetails, seconds: float) -> grpc.aio.ClientCallDetails:
    return grpc.aio.ClientCallDetails(
        details.method, seconds, details.metadata, details.credentials, details.wait_for_ready
    )
