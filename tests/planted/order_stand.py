"""The smallest world a mistake in LOMS needs: a database of its own, with witness D, and parts that may be wrong."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

from outbox import uuid7
from services.loms.repository.order_events import OrderEvents
from services.loms.repository.statements import statement
from services.loms.repository.unit_of_work import Repositories, UnitOfWork
from services.loms.service.orders import OrderService
from services.loms.service.ports import Conflict
from tests.audit_trigger import install_audit_trigger
from tests.chaos.judgement import Judgement
from tests.given import SharedPostgres
from tests.loms_fixtures import LomsDatabase, Platform, loms_database_in, platform_over

PLACE_ORDER = "functions/place_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderParts:
    """What a mistake may replace; as they stand they are the right ones."""

    place_order: str = statement(PLACE_ORDER)
    service: type[OrderService] = OrderService


@dataclass(frozen=True, slots=True)
class OrderStand:
    """Where a scene plays."""

    platform: Platform
    work: "WatchedWork"
    orders: OrderService
    service: type[OrderService]


@dataclass(frozen=True, slots=True)
class OrderScene:
    """What is played with orders."""

    play: Callable[[OrderStand], Awaitable[Judgement]]
    brokers: int = 1


PlantedInOrders: TypeAlias = Callable[[], OrderParts]


class WatchedWork(UnitOfWork):
    """A unit of work that counts the transactions which the database ended for others' sake."""

    conflicts = 0

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Repositories]:
        """As UnitOfWork.statements."""
        try:
            async with super().statements() as repositories:
                yield repositories
        except Conflict:
            self.conflicts += 1
            raise


@asynccontextmanager
async def order_stand(admin_dsn: str, parts: OrderParts) -> AsyncIterator[OrderStand]:
    """Build one, and take it down whatever happened on it."""
    async with loms_database_in(SharedPostgres(admin_dsn)) as database:
        await _prepare(database, parts)
        async with platform_over(database) as platform:
            work = WatchedWork(pool=platform.pool, events=OrderEvents(new_id=uuid7, trace=dict), wake=platform.wakes)
            yield OrderStand(platform, work, parts.service(unit_of_work=work), parts.service)


async def _prepare(database: LomsDatabase, parts: OrderParts) -> None:
    """Plant the function, let D watch, and find deadlocks fast."""
    admin = await asyncpg.connect(database.admin_dsn)
    try:
        await admin.execute(parts.place_order)
        await admin.execute(f"alter database {database.name} set deadlock_timeout = '10ms'")
    finally:
        await admin.close()
    await install_audit_trigger(database.admin_dsn)
