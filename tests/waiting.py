"""The one way tests wait: ask again until the truth holds, within a bound."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")


@overload
async def eventually(check: Callable[[], Awaitable[T]], *, within: float = 10.0, every: float = 0.02) -> T: ...
@overload
async def eventually(check: Callable[[], T], *, within: float = 10.0, every: float = 0.02) -> T: ...
async def eventually(check: Callable[[], Any], *, within: float = 10.0, every: float = 0.02) -> Any:
    """Ask `check` (sync or async) every `every` seconds until its answer is truthy, and return that answer.

    An AssertionError counts as "not yet". After `within` seconds the last AssertionError is raised, or one that tells
    the last answer.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            answer = await _asked(check)
            if answer:
                return answer
            failure = AssertionError(f"after {within} s the answer is still {answer!r}")
        except AssertionError as refusal:
            failure = refusal
        if time.monotonic() >= deadline:
            raise failure
        await asyncio.sleep(every)


async def for_the_length_of_a_fault(seconds: float) -> None:
    """Let a fault last: a freeze is one only beyond leases and session timeouts. Nothing else may wait for time."""
    await asyncio.sleep(seconds)


async def _asked(check: Callable[[], Any]) -> Any:
    answer = check()
    return await answer if inspect.isawaitable(answer) else answer
