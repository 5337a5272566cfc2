"""A client-side interceptor that starts calls no faster than a rate, over all requests and all replicas.

It waits within the call's own deadline; a slot that would come too late is not taken, and the call is not made.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc

from chassis.limits import Ask, Held, Limiter, Rate
from services.cart.domain.errors import DeadlinePassed
from services.cart.metrics import PACE_HELD, PACE_WAIT_SECONDS


class Paced(grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg] # generic for mypy alone
    """Stands before every call of one neighbour; `key` names the rate all its callers share."""

    def __init__(self, *, limiter: Limiter, key: str, rate: Rate, neighbour: str, wait_seconds_max: float) -> None:
        self._limiter = limiter
        self._key = key
        self._rate = rate
        self._neighbour = neighbour
        self._wait_seconds_max = wait_seconds_max

    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Any],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        """Take a slot, wait for it, call; raise DeadlinePassed instead of calling where none comes in time."""
        timeout = client_call_details.timeout
        ahead = self._wait_seconds_max if timeout is None else min(timeout, self._wait_seconds_max)
        slot = await self._limiter.take(Ask(key=self._key, rate=self._rate, ahead_seconds=ahead))
        if isinstance(slot, Held):
            PACE_HELD.inc()
            raise DeadlinePassed(self._neighbour)
        PACE_WAIT_SECONDS.observe(slot.wait_seconds)
        await asyncio.sleep(slot.wait_seconds)
        return await continuation(_shortened(client_call_details, slot.wait_seconds), request)


def _shortened(details: grpc.aio.ClientCallDetails, seconds: float) -> grpc.aio.ClientCallDetails:
    timeout = None if details.timeout is None else details.timeout - seconds
    return grpc.aio.ClientCallDetails(
        details.method, timeout, details.metadata, details.credentials, details.wait_for_ready
    )
