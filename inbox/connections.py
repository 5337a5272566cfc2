"""Plain Postgres connections, a bounded number of them, thrown away at the first doubt.

A pool of proxies would hide the very connection from handlers that hand it on, and would cost a round trip per batch.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from inbox.faults import fault_of_surroundings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from inbox.policy import Limits

_CONNECT_SECONDS_MAX = 5.0


class Connections:
    """At most `connections_max` connections; one is lent to one task at a time."""

    def __init__(self, dsn: str, *, name: str, limits: Limits) -> None:
        self._dsn = dsn
        self._name = name
        self._limits = limits
        self._room = asyncio.Semaphore(limits.connections_max)
        self._idle: list[asyncpg.Connection[asyncpg.Record]] = []

    @asynccontextmanager
    async def take(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """Lend a connection; one that failed, or comes back inside a transaction, is not lent again.

        May wait for a free one and for the server. Raises what asyncpg raises.
        """
        async with self._room:
            connection = self._still_open() or await self._connect()
            try:
                yield connection
            except BaseException as error:
                if not isinstance(error, Exception) or fault_of_surroundings(error):
                    connection.terminate()
                raise
            finally:
                if connection.is_closed() or connection.is_in_transaction():
                    connection.terminate()
                else:
                    self._idle.append(connection)

    async def close(self) -> None:
        """Close what is idle; never waits for a server that does not answer."""
        idle, self._idle = self._idle, []
        for connection in idle:
            try:
                await connection.close(timeout=1)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()

    def _still_open(self) -> asyncpg.Connection[asyncpg.Record] | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    async def _connect(self) -> asyncpg.Connection[asyncpg.Record]:
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            self._dsn,
            timeout=_CONNECT_SECONDS_MAX,
            command_timeout=self._limits.statement_seconds_max,
            target_session_attrs=SessionAttribute.read_write,
            server_settings={
                "application_name": self._name,
                "idle_in_transaction_session_timeout": _milliseconds(self._limits.idle_transaction_seconds_max),
                "statement_timeout": _milliseconds(self._limits.statement_seconds_max),
            },
        )
        return connection


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
