"""Lends the connections of a pool; one that comes back with nothing to clean up is lent again at once.

asyncpg takes a connection back in a task of its own, under a shield, and bounds the next acquire by a timer, also when
there is nothing to do: a sixth of the processor time of a small use case. What is kept at hand here takes neither.
Who waits is served by the pool in its own order, and what lay at hand unused for a while goes home to the pool, whose
rules for idle connections hold from then on.
"""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = PoolConnectionProxy[asyncpg.Record]
    ConnectionPool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Connection = ConnectionPool = object

REST_SECONDS = 1.0


class Lending:
    """What a pool lends for blocks.

    Args:
        pool: started; nobody else acquires from it.
        acquire_seconds_max: how long a block waits for a connection.
        rest_seconds: after how long a connection that lies here unused goes home.
    """

    def __init__(
        self, pool: "ConnectionPool", *, acquire_seconds_max: float, rest_seconds: float = REST_SECONDS
    ) -> None:
        self._pool = pool
        self._acquire_seconds_max = acquire_seconds_max
        self._rest_seconds = rest_seconds
        self._at_hand: list[Connection] = []
        self._untouched = 0
        self.waiting = 0
        self._closed = False
        self._sweeping: asyncio.TimerHandle | None = None
        self._homeward: set[asyncio.Task[None]] = set()

    @property
    def at_hand(self) -> int:
        """How many connections lie here: lent by the pool, and idle."""
        return len(self._at_hand)

    def loan(self) -> "Loan":
        """Lend one for an `async with` block."""
        return Loan(self)

    async def close(self) -> None:
        """Send everything home; what comes back later goes home by itself."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        idle, self._at_hand = self._at_hand, []
        await asyncio.gather(*map(self._pool.release, idle), *self._homeward)

    async def take(self) -> Connection:
        """Return the connection used last, or one of the pool's; `TimeoutError` when none comes free in time."""
        while self._at_hand:
            connection = self._at_hand.pop()
            self._untouched = min(self._untouched, len(self._at_hand))
            if _is_usable(connection):
                return connection
            await self._pool.release(connection)
        self.waiting += 1
        try:
            return await self._pool.acquire(timeout=self._acquire_seconds_max)
        finally:
            self.waiting -= 1

    def keep(self, connection: Connection) -> bool:
        """Keep it at hand; False if it must go home: for cleaning, or because somebody waits there."""
        if self._closed or self.waiting or not _is_usable(connection):
            return False
        self._at_hand.append(connection)
        if self._sweeping is None:
            self._untouched = 0
            self._sweeping = asyncio.get_running_loop().call_later(self._rest_seconds, self._sweep)
        return True

    async def send_home(self, connection: Connection) -> None:
        """Give it back to the pool, which cleans it."""
        await self._pool.release(connection)

    def _sweep(self) -> None:
        """Send home what nobody has touched since the last time: it lies below the rest."""
        loop = asyncio.get_running_loop()
        idle, self._at_hand = self._at_hand[: self._untouched], self._at_hand[self._untouched :]
        self._untouched = len(self._at_hand)
        self._sweeping = loop.call_later(self._rest_seconds, self._sweep) if self._at_hand else None
        for connection in idle:
            self._background(self.send_home(connection))

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._homeward.add(task)
        task.add_done_callback(self._homeward.discard)


class Loan:
    """One connection for one block."""

    __slots__ = ("_connection", "_lending")

    def __init__(self, lending: Lending) -> None:
        self._lending = lending

    async def __aenter__(self) -> Connection:
        """Take it."""
        self._connection = await self._lending.take()
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Bring it back; after an exception nothing is taken for granted."""
        if error is not None or not self._lending.keep(self._connection):
            await self._lending.send_home(self._connection)


def _is_usable(connection: Connection) -> bool:
    """Whether the next block may have it as it is: it is alive, and no transaction was left open on it."""
    try:
        return not (connection.is_closed() or connection.is_in_transaction())
    except asyncpg.InterfaceError:  # it was lost, and the pool has taken it back
        return False
