"""Try a use case again when it failed for the sake of others, or when nobody knows whether it did."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from services.loms.service.ports import Conflict, DatabaseAway, OutcomeUnknown

P = ParamSpec("P")
R = TypeVar("R")

PAUSES_SECONDS = (0.02, 0.1, 0.3, 0.6)
"""Before each further attempt after a lost connection. After a conflict there is none: others' locks are the queue."""

ATTEMPTS_MAX = 1 + len(PAUSES_SECONDS)
"""Enough for the losers of a deadlock and for a server that comes back at once; more would hide a wrong lock order."""


def repeated(use_case: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Run the whole use case again after Conflict, DatabaseAway or OutcomeUnknown, up to ATTEMPTS_MAX times in all.

    The last of them is raised. Only for a use case that finds out what its lost attempt has done: a move that starts
    from a version, or an order under an id that was drawn before.
    """

    @wraps(use_case)
    async def repeated(*args: P.args, **kwargs: P.kwargs) -> R:
        for pause_seconds in PAUSES_SECONDS:
            try:
                return await use_case(*args, **kwargs)
            except Conflict:
                continue
            except (DatabaseAway, OutcomeUnknown):
                await asyncio.sleep(pause_seconds)
        return await use_case(*args, **kwargs)

    return repeated
