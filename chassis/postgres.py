"""A pool of Postgres connections that is bounded in every direction.

A statement, a forgotten transaction, a wait for a connection and the start itself all have a limit. The pool survives a
restart of the database: what was in flight fails, the next acquire connects anew. At its start it looks who answers at
the address, and behaves behind a transaction pooler as one must.
"""

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg

from chassis.errors import NotStarted
from chassis.lending import Lending, Loan
from chassis.logs import get_logger
from chassis.metrics import POOL_CONNECTIONS
from chassis.patience import Patience, address_of
from chassis.pooler import Answering, who_answers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_CONNECT_SECONDS_MAX = 3.0
_CLOSE_SECONDS_MAX = 5.0

log = get_logger()


class Pool:
    """A component around an asyncpg pool.

    Behind a transaction pooler no setting of the session is sent, for a pooler refuses them: set the timeouts where it
    connects, or on the role. Connections are handed back as they are, without asyncpg's reset round trip: change no
    session state on them (`set`, `listen`, session advisory locks). One that comes back clean is lent again at once.
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
        init: "Callable[[asyncpg.Connection[Any]], Awaitable[None]] | None" = None,
    ) -> None:
        self.name = f"pool {application_name}"
        self._application_name = application_name
        self._acquire_seconds_max = acquire_seconds_max
        self._patience = Patience(f"pool {application_name}", address_of(dsn), start_seconds_max)
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._lending: Lending | None = None
        self._dsn = dsn
        self._bounds = {
            "statement_timeout": _milliseconds(statement_seconds_max),
            "idle_in_transaction_session_timeout": _milliseconds(idle_in_transaction_seconds_max),
        }
        self._options: dict[str, Any] = {
            "dsn": dsn,
            "min_size": min_size,
            "max_size": max_size,
            "timeout": _CONNECT_SECONDS_MAX,
            "command_timeout": statement_seconds_max + 1,
            "reset": _keep_session,
            "init": init,
        }

    async def start(self) -> None:
        """Connect, waiting for a database that is coming up; raise `DatabaseUnreachable` when it does not."""
        if self._pool is None:
            self._pool = await self._patience.until_connected(self._connected)
            self._lending = Lending(self._pool, acquire_seconds_max=self._acquire_seconds_max)
            for state, read in (("idle", self._idle), ("in use", self._in_use)):
                POOL_CONNECTIONS.labels(self._application_name, state).set_function(read)

    async def stop(self) -> None:
        """Wait a few seconds for connections in use, then close them all."""
        (pool, self._pool), (lending, self._lending) = (self._pool, None), (self._lending, None)
        if pool is None or lending is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_SECONDS_MAX):
                await lending.close()
                await pool.close()
        except TimeoutError:
            log.warning("postgres.pool_terminated", pool=self._application_name, after_seconds=_CLOSE_SECONDS_MAX)
            pool.terminate()

    def acquire(self) -> Loan:
        """Lend a connection for an `async with` block; `TimeoutError` when none comes free within the bound."""
        if self._lending is None:
            raise NotStarted(self.name)
        return self._lending.loan()

    async def check(self) -> None:
        """Raise unless a connection answers: the readiness check of this pool."""
        async with self.acquire() as connection:
            await connection.fetchval("select 1")

    async def _connected(self) -> "asyncpg.Pool[asyncpg.Record]":
        answering = await who_answers(self._dsn, connect_seconds_max=_CONNECT_SECONDS_MAX)
        if not answering.is_server:
            log.info("postgres.behind_pooler", pool=self._application_name, answering=answering.value)
        return await asyncpg.create_pool(**self._options, **self._suited_to(answering))

    def _suited_to(self, answering: Answering) -> dict[str, Any]:
        named = {"application_name": self._application_name}
        match answering:
            case Answering.SERVER:
                return {"server_settings": named | self._bounds}
            case Answering.PREPARING_POOLER:
                return {"server_settings": named}
            case Answering.FORGETFUL_POOLER:
                return {"server_settings": named, "statement_cache_size": 0}

    def _idle(self) -> float:
        return self._pool.get_idle_size() + self._lending.at_hand if self._pool and self._lending else 0

    def _in_use(self) -> float:
        return self._pool.get_size() - self._idle() if self._pool else 0


async def _keep_session(_connection: "asyncpg.Connection[Any]") -> None:
    """Replace asyncpg's reset query: an open transaction is still rolled back, and no statement is sent."""


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1_000))
