"""The relay's one connection.

Invariants: direct and unpooled; one statement at a time; every statement bounded below a second; always a primary,
since a standby's snapshot knows no running transaction. A snapshot is stored only by the session that took it:
whoever loses the session drops everything it read through it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg
from asyncpg.connect_utils import SessionAttribute
from asyncpg.exceptions import TargetServerAttributeNotMatched

from outbox import errors
from outbox.statements import statement

TRANSIENT = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What passes by itself: the server is away, restarts, or is too slow right now; the driver may lose its way then."""

_CONNECT_SECONDS_MAX = 3.0
_STATEMENT_SECONDS_MAX = 0.9
_CLOSE_SECONDS_MAX = 0.5

_POOLER_SAYS = "unsupported startup parameter"
"""What pgbouncer answers to the settings of a session, which only the server itself can keep."""

_SETTINGS = {
    "plan_cache_mode": "force_generic_plan",  # planning a poll anew costs three times its execution; see planned_anew
    "enable_seqscan": "off",  # a partition without statistics must not be read whole at every poll
    "jit": "off",
    # the cursor is a hint about what Kafka already has: losing its last move in a crash only repeats
    "synchronous_commit": "off",
}


class Session:
    """One connection behind a lock."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection
        self._busy = asyncio.Lock()
        self.backend_pid: int = connection.get_server_pid()

    @classmethod
    async def open(cls, dsn: str, application_name: str) -> Self:
        """Connect to the primary.

        Raises:
            errors.NotPrimary: every server of the address is in recovery.
            errors.PooledConnection: a pooler answers, not the server itself.
            OSError, asyncpg.PostgresError: no connection.
        """
        try:
            connection: asyncpg.Connection[Any] = await asyncpg.connect(
                dsn,
                timeout=_CONNECT_SECONDS_MAX,
                command_timeout=_STATEMENT_SECONDS_MAX,
                target_session_attrs=SessionAttribute.read_write,
                server_settings={**_SETTINGS, "application_name": application_name},
            )
        except TargetServerAttributeNotMatched as cause:
            raise errors.NotPrimary from cause
        except asyncpg.ProtocolViolationError as cause:
            if _POOLER_SAYS in str(cause):
                raise errors.PooledConnection(str(cause)) from cause
            raise
        session = cls(connection)
        await session._refuse_pooler()
        return session

    async def fetch(self, name: str, *args: Any) -> list[Any]:
        """The rows of the statement `name`."""
        async with self._busy:
            return await self._connection.fetch(statement(name), *args)

    async def fetchrow(self, name: str, *args: Any) -> Any:
        """The first row of the statement `name`, or None."""
        async with self._busy:
            return await self._connection.fetchrow(statement(name), *args)

    async def execute(self, name: str, *args: Any) -> None:
        """Run the statement `name`."""
        async with self._busy:
            await self._connection.execute(statement(name), *args)

    async def rename(self, application_name: str) -> None:
        """Show in `pg_stat_activity` what this session is now."""
        await self._set("application_name", application_name)

    @asynccontextmanager
    async def planned_anew(self) -> AsyncIterator[None]:
        """Inside the block each execution is planned for its own values, as a backlog's windows need it.

        Outside, a statement is planned once: partitions are then left out at execution, by the xid bounds all the same.
        """
        await self._set("plan_cache_mode", "force_custom_plan")
        try:
            yield
        finally:
            await self._set("plan_cache_mode", _SETTINGS["plan_cache_mode"])

    async def listen(self, channel: str, heard: Callable[[], None]) -> None:
        """Call `heard` at every notification on the channel."""
        async with self._busy:
            await self._connection.add_listener(channel, lambda *_: heard())

    async def _set(self, setting: str, value: str) -> None:
        async with self._busy:
            await self._connection.execute("select set_config($1, $2, false)", setting, value)

    async def _refuse_pooler(self) -> None:
        """See that the backend that greeted is the one that answers; asked in a way that any pooler lets pass."""
        async with self._busy, self._connection.transaction():
            unnamed = await self._connection.prepare(statement("read_backend"), name="")
            answered_pid = await unnamed.fetchval()
        if answered_pid != self.backend_pid:
            await self.close()
            raise errors.PooledConnection(f"connected to backend {self.backend_pid}, answered by {answered_pid}")

    async def close(self) -> None:
        """End the connection, politely if it answers."""
        try:
            await self._connection.close(timeout=_CLOSE_SECONDS_MAX)
        except TRANSIENT:
            self._connection.terminate()
