"""One call for a key, however many ask for it at the same time in this process."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")


class _Flight(Generic[Result]):
    def __init__(self, task: "asyncio.Task[Result]") -> None:
        self.task = task
        self.passengers = 0


class Flights(Generic[Key, Result]):
    """Joins calls. Nobody owns a flight: one who leaves does not end it for the others, the last one who leaves does.

    A result or an error is handed to all who wait for it, and forgotten; an error nobody waits for is nobody's.
    """

    def __init__(self) -> None:
        self._flights: dict[Key, _Flight[Result]] = {}

    def is_up(self, key: Key) -> bool:
        """Whether somebody calls for this key now."""
        return key in self._flights

    async def join(self, key: Key, call: Callable[[], Awaitable[Result]]) -> Result:
        """Return the result of the call that is up for this key, or of a new one."""
        flight = self._flights.get(key) or self._begun(key, call)
        flight.passengers += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.passengers -= 1
            if flight.passengers == 0 and not flight.task.done():
                self._forget(key, flight)  # who comes now begins a new one
                flight.task.cancel()
                await asyncio.wait([flight.task])

    def _begun(self, key: Key, call: Callable[[], Awaitable[Result]]) -> _Flight[Result]:
        flight = self._flights[key] = _Flight(asyncio.ensure_future(_run(call)))
        flight.task.add_done_callback(lambda _: self._landed(key, flight))
        return flight

    def _landed(self, key: Key, flight: _Flight[Result]) -> None:
        self._forget(key, flight)
        if not flight.task.cancelled():
            flight.task.exception()  # looked at, so that asyncio does not report it where all passengers have left

    def _forget(self, key: Key, flight: _Flight[Result]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _run(call: Callable[[], Awaitable[Result]]) -> Result:
    return await call()
