"""Orders that stay unpaid too long: finding them without a lock, claiming one without a wait."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import timedelta

from opentelemetry import trace

from services.loms.domain.ids import OrderId
from services.loms.repository.connection import Connection
from services.loms.repository.statements import statement
from services.loms.repository.unit_of_work import Pool, Repositories, UnitOfWork
from services.loms.service.expirer import Look


class OverdueOrders:
    """The port `OverdueOrders` over a pool; `unit_of_work` builds the usual one over a pool given to it."""

    def __init__(self, *, pool: Pool, unit_of_work: Callable[[Pool], UnitOfWork]) -> None:
        self._pool = pool
        self._unit_of_work = unit_of_work
        self._tracer = trace.get_tracer("services.loms.expiry")

    async def look(self, unpaid: timedelta, *, orders_max: int, besides: Collection[OrderId]) -> Look:
        """Find overdue orders in one statement."""
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(statement("find_overdue_orders"), unpaid, orders_max, list(besides))
        assert row is not None  # noqa: S101 - for the type checker: an aggregate returns a row
        return Look(tuple(map(OrderId, row["order_ids"])), beyond_seconds=row["beyond_seconds"])

    @asynccontextmanager
    async def claimed(self, order_id: OrderId, unpaid: timedelta) -> AsyncIterator[Repositories | None]:
        """Open a transaction, under a span of its own, and claim the order on its connection."""
        with self._tracer.start_as_current_span("order expiry"):
            async with self._pool.acquire() as connection, self._unit_of_work(_OneConnection(connection))() as tx:
                held = await connection.fetchval(statement("claim_overdue_order"), order_id, unpaid)
                yield None if held is None else tx


class _OneConnection:
    """A pool of the connection that is already ours."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def acquire(self) -> AbstractAsyncContextManager[Connection]:
        return nullcontext(self._connection)
