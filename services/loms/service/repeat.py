"""Try a use case again when the database rolled it back because of others."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from services.loms.service.ports import Conflict

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS_MAX = 5
"""Enough for the losers of a deadlock; more would hide a lock order that is wrong."""


def repeated_on_conflict(use_case: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Run the whole use case again after a Conflict, up to ATTEMPTS_MAX times in all; the last Conflict is raised.

    Only Conflict: it says for certain that nothing was committed. A connection lost at COMMIT says no such thing and is
    never tried again here. There is no pause: the next attempt queues behind the locks of whoever won.
    """

    @wraps(use_case)
    async def repeated(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(ATTEMPTS_MAX - 1):
            try:
                return await use_case(*args, **kwargs)
            except Conflict:
                continue
        return await use_case(*args, **kwargs)

    return repeated
