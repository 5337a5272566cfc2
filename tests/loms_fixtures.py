"""LOMS over a real database, as its processes see it; a test imports the fixtures through its conftest."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from chassis import telemetry
from chassis.postgres import Pool
from outbox import Writer
from services.loms import bootstrap
from services.loms.domain.ids import OrderId, Sku, UserId
from services.loms.domain.items import Item
from services.loms.migrations.run import upgrade
from services.loms.repository.seed import seed
from services.loms.repository.unit_of_work import UnitOfWork
from services.loms.service.orders import OrderService
from services.loms.service.stocks import StockService
from stack.databases import create_database, owner_of
from tests.given import SharedPostgres

PASSWORD = "loms"


@dataclass(frozen=True, slots=True)
class LomsDatabase:
    """A migrated and seeded database of one test."""

    name: str
    app_role: str
    admin_dsn: str
    app_dsn: str
    owner_dsn: str


class CountedWakes:
    """Stands where the wake of a process stands, and counts."""

    def __init__(self) -> None:
        self.count = 0

    def set(self) -> None:
        self.count += 1


@dataclass(frozen=True, slots=True)
class Platform:
    """The use cases of LOMS over one database, and an eye that looks past them."""

    database: LomsDatabase
    pool: Pool
    orders: OrderService
    stocks: StockService
    unit_of_work: UnitOfWork
    wakes: CountedWakes
    eye: "asyncpg.Connection[Any]"

    @asynccontextmanager
    async def pool_of(self, dsn: str) -> AsyncIterator[Pool]:
        """Another pool, through whatever stands at that address."""
        pool = Pool(dsn, application_name="loms-test", max_size=8, acquire_seconds_max=30)
        await pool.start()
        try:
            yield pool
        finally:
            await pool.stop()

    async def place(self, *lines: tuple[int, int], user_id: int = 7) -> OrderId:
        answer = await self.orders.create(UserId(user_id), items(*lines))
        return answer.order_id

    async def status(self, order_id: int) -> str:
        return str(await self.eye.fetchval("select status from orders where order_id = $1", order_id))

    async def stock(self, sku: int) -> tuple[int, int]:
        row = await self.eye.fetchrow("select total, reserved from stocks where sku = $1", sku)
        assert row is not None
        return row["total"], row["reserved"]

    async def published(self, order_id: int) -> list[str]:
        rows = await self.eye.fetch("select payload from outbox where key = $1 order by seq", str(order_id))
        return [json.loads(row["payload"])["status"] for row in rows]

    async def versions(self, order_id: int) -> list[int]:
        rows = await self.eye.fetch("select version from outbox where key = $1 order by seq", str(order_id))
        return [row["version"] for row in rows]

    async def count(self, table: str) -> int:
        return int(await self.eye.fetchval(f"select count(*) from {table}"))


def unit_of_work_over(pool: Pool, wakes: CountedWakes) -> UnitOfWork:
    return UnitOfWork(pool=pool, writer=Writer(bootstrap.topic_rules()), wake=wakes, trace=telemetry.inject)


def items(*lines: tuple[int, int]) -> list[Item]:
    return [Item(Sku(sku), count) for sku, count in lines]


@pytest.fixture(scope="session")
def loms_template(postgres: SharedPostgres) -> Iterator[LomsDatabase]:
    """The database that every test's is a copy of: made, migrated and seeded by the real commands' code."""
    name = f"loms_{secrets.token_hex(4)}"
    template = _database(postgres, name, name)
    asyncio.run(_create(postgres, name))
    upgrade(owner_url=template.owner_dsn, app_role=name)
    asyncio.run(seed(template.owner_dsn))
    yield template
    asyncio.run(_drop(postgres, template))


@pytest.fixture
async def loms_database(postgres: SharedPostgres, loms_template: LomsDatabase) -> AsyncIterator[LomsDatabase]:
    name = f"{loms_template.name}_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(postgres.admin_dsn)
    try:
        owner = owner_of(loms_template.name)
        await admin.execute(f'create database "{name}" template "{loms_template.name}" owner "{owner}"')
        yield _database(postgres, name, loms_template.name)
        await admin.execute(f'drop database "{name}" with (force)')
    finally:
        await admin.close()


@pytest.fixture
async def platform(loms_database: LomsDatabase) -> AsyncIterator[Platform]:
    pool = Pool(loms_database.app_dsn, application_name="loms-test", max_size=12, acquire_seconds_max=30)
    eye = await asyncpg.connect(loms_database.admin_dsn)
    await pool.start()
    wakes = CountedWakes()
    work = unit_of_work_over(pool, wakes)
    try:
        yield Platform(
            database=loms_database,
            pool=pool,
            orders=OrderService(unit_of_work=work),
            stocks=StockService(unit_of_work=work),
            unit_of_work=work,
            wakes=wakes,
            eye=eye,
        )
    finally:
        await eye.close()
        await pool.stop()


async def _create(postgres: SharedPostgres, name: str) -> None:
    await create_database(
        postgres.admin_dsn, name, owner_password=PASSWORD, app_password=PASSWORD, verifier_password=PASSWORD
    )


async def _drop(postgres: SharedPostgres, template: LomsDatabase) -> None:
    admin = await asyncpg.connect(postgres.admin_dsn)
    try:
        await admin.execute(f'drop database "{template.name}" with (force)')
        await admin.execute(f'drop role "{template.app_role}"')
        await admin.execute(f'drop role "{owner_of(template.name)}"')
    finally:
        await admin.close()


def _database(postgres: SharedPostgres, name: str, role: str) -> LomsDatabase:
    return LomsDatabase(
        name=name,
        app_role=role,
        admin_dsn=urlunsplit(urlsplit(postgres.admin_dsn)._replace(path=f"/{name}")),
        app_dsn=postgres.dsn(name, role, PASSWORD),
        owner_dsn=postgres.dsn(name, owner_of(role), PASSWORD),
    )
