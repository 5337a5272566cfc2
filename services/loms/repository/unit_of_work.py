"""Lends connections with all repositories on them; after what they have published is committed, the relay is woken."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from services.loms.repository.answers import Answers
from services.loms.repository.connection import Connection
from services.loms.repository.order_events import OrderEvents
from services.loms.repository.orders import Orders
from services.loms.repository.outcomes import reaching, told_apart
from services.loms.repository.stocks import Stocks


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
    answers: Answers


class UnitOfWork:
    """The port `UnitOfWork` over a pool."""

    def __init__(self, *, pool: Pool, events: OrderEvents, wake: Wakes) -> None:
        self._pool = pool
        self._events = events
        self._wake = wake

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Repositories]:
        """Open a transaction (READ COMMITTED); commit at the end of the block, then wake the relay."""
        async with self._connection() as connection:
            async with connection.transaction():
                repositories = self._over(connection)
                yield repositories
            self._wake_after(repositories)

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Repositories]:
        """Lend a connection without a transaction around it; wake the relay in the end, also after an exception."""
        async with self._connection() as connection:
            repositories = self._over(connection)
            try:
                yield repositories
            finally:
                self._wake_after(repositories)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        async with AsyncExitStack() as lent:
            with reaching():
                connection = await lent.enter_async_context(self._pool.acquire())
            with told_apart():
                yield connection

    def _over(self, connection: Connection) -> Repositories:
        return Repositories(Orders(connection, events=self._events), Stocks(connection), Answers(connection))

    def _wake_after(self, repositories: Repositories) -> None:
        if repositories.orders.published:
            self._wake.set()
