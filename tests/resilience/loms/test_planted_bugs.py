"""Who tests the tests: a known mistake is planted as a wrong collaborator; the run that clears LOMS must convict it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from chassis import telemetry
from chassis.postgres import Pool
from outbox import Writer
from services.loms import bootstrap
from services.loms.domain.errors import OutOfStock
from services.loms.domain.ids import Sku, UserId
from services.loms.domain.items import Item
from services.loms.domain.stock import Reservation
from services.loms.repository.connection import Connection
from services.loms.repository.stocks import Stocks
from services.loms.repository.unit_of_work import Repositories, UnitOfWork
from services.loms.service.attempts import Answer, Attempt
from services.loms.service.orders import OrderService
from services.loms.service.ports import Conflict, Transaction
from tests.commit_cut import commit_cut
from tests.loms_fixtures import Platform, items, unit_of_work_over

ONE = Sku(1148162)  # 300 pieces, none reserved
OTHER = Sku(2618151)  # 300 pieces, none reserved


class SelectThenUpdate(Stocks):
    """PB-16: looks at the stock, then takes from it, with nothing in between held."""

    async def reserve(self, items: Sequence[Item]) -> Reservation:
        stocks = {item.sku: await self.read(item.sku) for item in items}
        short = tuple(item.sku for item in items if stocks[item.sku].available < item.count)
        for item in () if short else items:
            await self._connection.execute(
                "update stocks set reserved = reserved + $2 where sku = $1", item.sku, item.count
            )
        return Reservation(short=short, at=await self._connection.fetchval("select clock_timestamp()"))


class LocksInAnyOrder(Stocks):
    """PB-17: every other transaction locks its rows from the other end."""

    turns = 0

    async def reserve(self, items: Sequence[Item]) -> Reservation:
        LocksInAnyOrder.turns += 1
        for item in reversed(items) if LocksInAnyOrder.turns % 2 else items:
            await self._connection.execute("select from stocks where sku = $1 for update", item.sku)
        return await super().reserve(items)


class FailedIsRolledBack(OrderService):
    """PB-18: raises the refusal inside the transaction."""

    async def _place(self, tx: Transaction, user_id: UserId, items: Sequence[Item], attempt: Attempt | None) -> Answer:
        answer = await super()._place(tx, user_id, items, attempt)
        if answer.short:
            raise OutOfStock(answer.order_id, answer.short)
        return answer


class RepeatsWhatIsUnknown(OrderService):
    """PB-19: takes a connection lost at COMMIT for a transaction that did not happen."""

    async def create(self, user_id: UserId, lines: Sequence[Item], attempt: Attempt | None = None) -> Answer:
        try:
            return await super().create(user_id, lines, attempt)
        except Exception:  # noqa: BLE001 - this is the mistake
            return await super().create(user_id, lines, attempt)


class Watched(UnitOfWork):
    """Uses the given stock repository, and counts the transactions that Postgres ended for others' sake."""

    stocks: type[Stocks] = Stocks
    conflicts = 0

    def _over(self, connection: Connection) -> Repositories:
        right = super()._over(connection)
        return Repositories(right.orders, self.stocks(connection), right.events, right.answers)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Repositories]:
        try:
            async with super().__call__() as repositories:
                yield repositories
        except Conflict:
            self.conflicts += 1
            raise


def _watched(platform: Platform, pool: Pool, stocks: type[Stocks]) -> Watched:
    work = Watched(pool=pool, writer=Writer(bootstrap.topic_rules()), wake=platform.wakes, trace=telemetry.inject)
    work.stocks = stocks
    return work


@pytest.mark.parametrize("stocks", [Stocks, SelectThenUpdate], ids=["", "PB-16"])
async def test_overselling_is_noticed(platform: Platform, stocks: type[Stocks]) -> None:
    orders = OrderService(unit_of_work=_watched(platform, platform.pool, stocks))
    await platform.eye.execute("update stocks set total = 10 where sku = $1", ONE)

    await asyncio.gather(*(orders.create(UserId(user), items((ONE, 1))) for user in range(1, 41)))

    total, reserved = await platform.stock(ONE)
    assert (reserved <= total) is (stocks is Stocks)


@pytest.mark.parametrize("stocks", [Stocks, LocksInAnyOrder], ids=["", "PB-17"])
async def test_a_wrong_lock_order_is_noticed(platform: Platform, stocks: type[Stocks]) -> None:
    await platform.eye.execute(f"alter database {platform.database.name} set deadlock_timeout = '10ms'")
    async with platform.pool_of(platform.database.app_dsn) as pool:
        work = _watched(platform, pool, stocks)
        orders = OrderService(unit_of_work=work)
        await asyncio.gather(
            *(orders.create(UserId(user), items((ONE, 1), (OTHER, 1))) for user in range(1, 41)),
            return_exceptions=True,
        )

    assert (work.conflicts == 0) is (stocks is Stocks)


@pytest.mark.parametrize("service", [OrderService, FailedIsRolledBack], ids=["", "PB-18"])
async def test_a_failed_order_that_is_not_kept_is_noticed(platform: Platform, service: type[OrderService]) -> None:
    orders = service(unit_of_work=platform.unit_of_work)

    await asyncio.gather(orders.create(UserId(7), items((ONE, 301))), return_exceptions=True)

    kept = await platform.eye.fetch("select type from outbox order by seq")
    sound = service is OrderService
    assert ([row["type"] for row in kept] == ["order.new", "order.failed"]) is sound
    assert (await platform.count("orders") == 1) is sound


@pytest.mark.parametrize("service", [OrderService, RepeatsWhatIsUnknown], ids=["", "PB-19"])
async def test_a_blind_repeat_after_a_lost_commit_is_noticed(platform: Platform, service: type[OrderService]) -> None:
    async with commit_cut(platform.database.app_dsn) as (cut, dsn), platform.pool_of(dsn) as pool:
        orders = service(unit_of_work=unit_of_work_over(pool, platform.wakes))
        cut.arm("after")
        await asyncio.gather(orders.create(UserId(7), items((ONE, 1))), return_exceptions=True)

    assert cut.cuts == 1
    assert (await platform.count("orders") == 1) is (service is OrderService)
