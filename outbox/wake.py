"""Wake: tell the relay after a commit that there is something to read.

A flag and one background task per process: `NOTIFY` at most every millisecond, on a connection of its own in
autocommit. Inside the business transaction it would serialise all commits of the server. A lost wake costs the relay
one poll, so nothing here ever fails into the caller.
"""

import asyncio
import contextlib
import logging
from typing import Any

import asyncpg

_log = logging.getLogger(__name__)

_DEBOUNCE_SECONDS = 0.001
_STATEMENT_SECONDS_MAX = 1.0
_CONNECT_SECONDS_MAX = 3.0
_BACKOFF_SECONDS_MIN = 0.05
_BACKOFF_SECONDS_MAX = 2.0

_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Wake:
    """Sends the wake-ups of one process.

    Args:
        dsn: a direct connection, not through a transaction pooler; any role will do.
        channel: what the relay listens to.
    """

    def __init__(self, dsn: str, channel: str = "outbox") -> None:
        self._dsn = dsn
        self._channel = channel
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._backoff_seconds = _BACKOFF_SECONDS_MIN

    async def start(self) -> None:
        """Begin in the background; does not wait for the database. Starting twice is starting once."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="outbox-wake")

    async def stop(self) -> None:
        """End the task and close its connection. Stopping twice is stopping once."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def set(self) -> None:
        """Say that something was committed. Returns at once; call it after the commit, as often as you like."""
        self._due.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._notify_while_connected()
            except _FAILURES as cause:  # the database is away: the relay polls meanwhile
                _log.warning("wake.disconnected", extra={"cause": repr(cause)})
            await asyncio.sleep(self._backoff_seconds)
            self._backoff_seconds = min(self._backoff_seconds * 2, _BACKOFF_SECONDS_MAX)

    async def _notify_while_connected(self) -> None:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            self._dsn,
            timeout=_CONNECT_SECONDS_MAX,
            command_timeout=_STATEMENT_SECONDS_MAX,
            statement_cache_size=0,
            # a notification has nothing to make durable: no flush of the log for it
            server_settings={"application_name": "outbox-wake", "synchronous_commit": "off"},
        )
        self._backoff_seconds = _BACKOFF_SECONDS_MIN
        try:
            while True:
                await self._due.wait()
                self._due.clear()
                await connection.execute("select pg_notify($1, '')", self._channel)
                await asyncio.sleep(_DEBOUNCE_SECONDS)
        finally:
            with contextlib.suppress(*_FAILURES):
                await connection.close(timeout=_STATEMENT_SECONDS_MAX)
