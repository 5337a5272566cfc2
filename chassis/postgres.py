"""A pool of Postgres connections that is bounded in every direction.

A statement, a forgotten transaction, a wait for a connection and the start itself all have a limit. The pool survives a
restart of the database: what was in flight fails, the next acquire connects anew.
"""

import asyncio
import random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import asyncpg

from chassis.errors import DatabaseUnreachable, NotStarted
from chassis.logs import get_logger
from chassis.metrics import POOL_CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncpg.pool import PoolAcquireContext

_CONNECT_SECONDS_MAX = 3.0
_CLOSE_SECONDS_MAX = 5.0
_RETRY_SECONDS = (0.05, 1.0)
"""The first and the longest pause between two attempts to connect at the start."""

_NOT_YET = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ConnectionDoesNotExistError,
)
"""What a database that is still coming up answers; anything else (a wrong password) fails the start at once."""

log = get_logger()


class Pool:
    """A component around an asyncpg pool.

    `through_pooler` says that the address is a transaction pooler: no prepared statement is kept and no session setting
    is sent, so set the timeouts on the role instead. Connections are handed back as they are, without asyncpg's reset
    round trip: change no session state on them (`set`, `listen`, session advisory locks).
    """

    def __init__(
        self,
        dsn: str,
        *,
        application_name: str,
        min_size: int = 1,
        max_size: int = 10,
        statement_seconds_max: float = 5.0,
        idle_in_transaction_seconds_max: float = 10.0,
        acquire_seconds_max: float = 5.0,
        start_seconds_max: float = 30.0,
        through_pooler: bool = False,
        init: "Callable[[asyncpg.Connection[Any]], Awaitable[None]] | None" = None,
    ) -> None:
        self.name = f"pool {application_name}"
        self._application_name = application_name
        self._acquire_seconds_max = acquire_seconds_max
        self._start_seconds_max = start_seconds_max
        self._where = _address_of(dsn)
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        settings = {"application_name": application_name}
        if not through_pooler:
            settings["statement_timeout"] = _milliseconds(statement_seconds_max)
            settings["idle_in_transaction_session_timeout"] = _milliseconds(idle_in_transaction_seconds_max)
        self._options: dict[str, Any] = {
            "dsn": dsn,
            "min_size": min_size,
            "max_size": max_size,
            "timeout": _CONNECT_SECONDS_MAX,
            "command_timeout": statement_seconds_max + 1,
            "server_settings": settings,
            "reset": _keep_session,
            "init": init,
        }
        if through_pooler:
            self._options["statement_cache_size"] = 0

    async def start(self) -> None:
        """Connect, waiting for a database that is coming up; raise `DatabaseUnreachable` when it does not."""
        if self._pool is None:
            self._pool = await self._connected()
            for state, read in (("idle", self._idle), ("in use", self._in_use)):
                POOL_CONNECTIONS.labels(self._application_name, state).set_function(read)

    async def stop(self) -> None:
        """Wait a few seconds for connections in use, then close them all."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_SECONDS_MAX):
                await pool.close()
        except TimeoutError:
            log.warning("postgres.pool_terminated", pool=self._application_name, after_seconds=_CLOSE_SECONDS_MAX)
            pool.terminate()

    def acquire(self) -> "PoolAcquireContext[asyncpg.Record]":
        """Lend a connection for an `async with` block; `TimeoutError` when none comes free within the bound."""
        return self._running().acquire(timeout=self._acquire_seconds_max)

    async def check(self) -> None:
        """Raise unless a connection answers: the readiness check of this pool."""
        async with self.acquire() as connection:
            await connection.fetchval("select 1")

    def _running(self) -> "asyncpg.Pool[asyncpg.Record]":
        if self._pool is None:
            raise NotStarted(self.name)
        return self._pool

    async def _connected(self) -> "asyncpg.Pool[asyncpg.Record]":
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._start_seconds_max
        pause, longest = _RETRY_SECONDS
        while True:
            try:
                return await asyncpg.create_pool(**self._options)
            except _NOT_YET as error:
                if loop.time() + pause > deadline:
                    raise DatabaseUnreachable(
                        self._application_name, self._where, self._start_seconds_max, type(error).__name__
                    ) from error
                log.info("postgres.not_up_yet", pool=self._application_name, reason=type(error).__name__)
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, longest)

    def _idle(self) -> float:
        return self._pool.get_idle_size() if self._pool else 0

    def _in_use(self) -> float:
        return self._pool.get_size() - self._pool.get_idle_size() if self._pool else 0


async def _keep_session(_connection: "asyncpg.Connection[Any]") -> None:
    """Replace asyncpg's reset query: an open transaction is still rolled back, and no statement is sent."""


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1_000))


def _address_of(dsn: str) -> str:
    """Return where a dsn points, for an error's text: one host or several, never the password."""
    return urlsplit(dsn).netloc.rpartition("@")[2] or "the local socket"
