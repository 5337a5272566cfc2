"""One transaction over all repositories; after its commit the relay is woken, if there is something to relay."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import asyncpg

from outbox import Writer
from services.loms.repository.answers import Answers
from services.loms.repository.connection import Connection
from services.loms.repository.order_events import OrderEvents
from services.loms.repository.orders import Orders
from services.loms.repository.stocks import Stocks
from services.loms.service.ports import Conflict

ROLLED_BACK_BY_OTHERS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""What Postgres raises after it has rolled back for the sake of others. A lost connection is not among them."""


class Pool(Protocol):
    """Lends connections."""

    def acquire(self) -> AbstractAsyncContextManager[Connection]:
        """Lend one for a block."""
        ...


class Wakes(Protocol):
    """Tells the relay that something was committed."""

    def set(self) -> None:
        """Return at once."""
        ...


@dataclass(frozen=True, slots=True)
class Repositories:
    """What a transaction offers; the port `Transaction`."""

    orders: Orders
    stocks: Stocks
    events: OrderEvents
    answers: Answers


class UnitOfWork:
    """The port `UnitOfWork` over a pool."""

    def __init__(self, *, pool: Pool, writer: Writer, wake: Wakes, trace: Callable[[], Mapping[str, str]]) -> None:
        self._pool = pool
        self._writer = writer
        self._wake = wake
        self._trace = trace

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Repositories]:
        """Open a transaction (READ COMMITTED); commit at the end of the block, then wake the relay."""
        async with self._pool.acquire() as connection:
            try:
                async with connection.transaction():
                    repositories = self._over(connection)
                    yield repositories
            except ROLLED_BACK_BY_OTHERS as error:
                raise Conflict(str(error)) from error
        if repositories.events.appended:
            self._wake.set()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Repositories]:
        """Lend a connection without a transaction around it: each statement sees what is committed."""
        async with self._pool.acquire() as connection:
            yield self._over(connection)

    def _over(self, connection: Connection) -> Repositories:
        return Repositories(
            orders=Orders(connection),
            stocks=Stocks(connection),
            events=OrderEvents(connection, writer=self._writer, trace=self._trace),
            answers=Answers(connection),
        )
