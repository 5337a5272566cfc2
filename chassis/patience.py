"""Waiting for a database that is coming up, and for nothing else: a wrong password or name fails at once."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

import asyncpg

from chassis.errors import DatabaseUnreachable
from chassis.logs import get_logger

_PAUSE_SECONDS = (0.05, 1.0)
"""The first and the longest pause between two attempts."""

_NOT_YET = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ConnectionDoesNotExistError,
)
"""What a database that is still coming up answers, or a pooler before it."""

Connected = TypeVar("Connected")

log = get_logger()


class Patience:
    """How long `name` waits for the database at `where`."""

    def __init__(self, name: str, where: str, seconds_max: float) -> None:
        self._name = name
        self._where = where
        self._seconds_max = seconds_max

    async def until_connected(self, connect: Callable[[], Awaitable[Connected]]) -> Connected:
        """Repeat `connect` until it succeeds; raise `DatabaseUnreachable` when the bound is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds_max
        pause, longest = _PAUSE_SECONDS
        while True:
            try:
                return await connect()
            except _NOT_YET as error:
                reason = type(error).__name__
                if loop.time() + pause > deadline:
                    raise DatabaseUnreachable(self._name, self._where, self._seconds_max, reason) from error
                log.info("postgres.not_up_yet", pool=self._name, reason=reason)
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, longest)


def address_of(dsn: str) -> str:
    """Return where a dsn points, for an error's text: one host or several, never the password."""
    return urlsplit(dsn).netloc.rpartition("@")[2] or "the local socket"
