"""What a failed call means to us, and which failures are the neighbour's rather than an answer."""

import grpc

from chassis.breaker import CircuitOpen
from services.cart.domain.errors import DeadlinePassed, NeighbourAway

AWAY = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
    }
)
"""Codes that say nothing of what was asked: they count against a neighbour."""


def is_failure(error: BaseException) -> bool:
    """Tell a neighbour that does not work from one that refuses."""
    return isinstance(error, grpc.aio.AioRpcError) and error.code() in AWAY


def translated(error: grpc.aio.AioRpcError | CircuitOpen, neighbour: str) -> Exception:
    """Return what is raised for a call that led to no answer of the domain."""
    if isinstance(error, grpc.aio.AioRpcError) and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlinePassed(neighbour)
    return NeighbourAway(neighbour)
