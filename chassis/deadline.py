"""How long a request may still take, known in every layer below its door.

    with deadline(2.0):
        await stub.GetProduct(request, timeout=remaining(0.5))

A deadline inside another never lengthens it. It cancels nothing by itself: what is called with `remaining` gives up.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ENDS_AT: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound what is done in the block to so many seconds from now, or to less if it was bound already."""
    mine = time.monotonic() + seconds
    outer = _ENDS_AT.get()
    token = _ENDS_AT.set(mine if outer is None else min(mine, outer))
    try:
        yield
    finally:
        _ENDS_AT.reset(token)


def remaining(most: float) -> float:
    """Return the seconds left, at most `most`; never below 0."""
    ends_at = _ENDS_AT.get()
    return most if ends_at is None else max(0.0, min(most, ends_at - time.monotonic()))
