"""Lends connections with all repositories on them; after what they have published is committed, the relay is woken."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from services.loms.repository.answers import Answers
from services.loms.repository.connection import Connection
from services.loms.repository.order_events import OrderEvents
from services.loms.repository.orders import Orders
from services.loms.repository.outcomes import raise_meaning_of, reaching
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
        async with _Connected(self._pool) as connection:
            async with connection.transaction():
                repositories = self._over(connection)
                yield repositories
            self._wake_after(repositories)

    def statements(self) -> AbstractAsyncContextManager[Repositories]:
        """Lend a connection without a transaction around it; wake the relay in the end, also after an exception."""
        return _Statements(_Connected(self._pool), over=self._over, wake_after=self._wake_after)

    def _over(self, connection: Connection) -> Repositories:
        return Repositories(Orders(connection, events=self._events), Stocks(connection), Answers(connection))

    def _wake_after(self, repositories: Repositories) -> None:
        if repositories.orders.published:
            self._wake.set()


class _Connected(AbstractAsyncContextManager["Connection"]):
    """A connection for a block, whose errors are told apart. A class: generators are dear where every call passes."""

    __slots__ = ("_lending",)

    def __init__(self, pool: Pool) -> None:
        self._lending = pool.acquire()

    async def __aenter__(self) -> Connection:
        with reaching():
            return await self._lending.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._lending.__aexit__(kind, error, traceback)
        if isinstance(error, Exception):
            raise_meaning_of(error)


class _Statements(AbstractAsyncContextManager[Repositories]):
    """The repositories over a connection for a block."""

    __slots__ = ("_connected", "_over", "_repositories", "_wake_after")

    def __init__(
        self,
        connected: _Connected,
        *,
        over: Callable[[Connection], Repositories],
        wake_after: Callable[[Repositories], None],
    ) -> None:
        self._connected = connected
        self._over = over
        self._wake_after = wake_after

    async def __aenter__(self) -> Repositories:
        self._repositories = self._over(await self._connected.__aenter__())
        return self._repositories

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._wake_after(self._repositories)
        await self._connected.__aexit__(kind, error, traceback)
