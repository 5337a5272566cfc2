"""Calls of one request that run side by side.

Guarantees: every call begun has ended when `together` returns or raises, so no task outlives its request; the first
error cancels the others and is the one raised, itself and not in a group; the results stand in the order of the calls.
A cancelled or late request cancels all of them.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def together(calls: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Run all calls at the same time and return their results."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None  # they stand in the order in which they were raised
    return [task.result() for task in tasks]
