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

from chassis.postgres import Pool
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
    return bootstrap.unit_of_work(pool, wakes)


def items(*lines: tuple[int, int]) -> list[Item]:
    return [Item(Sku(sku), count) for sku, count in lines]


async def waits_for_a_lock(platform: Platform) -> bool:
    """Whether somebody in the platform's database waits for a lock of another."""
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    return bool(await platform.eye.fetchval(waiting))


@asynccontextmanager
async def platform_over(database: LomsDatabase) -> AsyncIterator[Platform]:
    """The use cases over a database, for the length of a block."""
    pool = Pool(database.app_dsn, application_name="loms-test", max_size=12, acquire_seconds_max=30)
    eye = await asyncpg.connect(database.admin_dsn)
    await pool.start()
    wakes = CountedWakes()
    work = unit_of_work_over(pool, wakes)
    try:
        yield Platform(
            database=database,
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


@asynccontextmanager
async def loms_database_in(postgres: SharedPostgres) -> AsyncIterator[LomsDatabase]:
    """A database of its own, made, migrated and seeded by the real commands' code, for the length of a block."""
    name = f"loms_{secrets.token_hex(4)}"
    database = _database(postgres, name, name)
    await _create(postgres, name)
    try:
        await asyncio.to_thread(upgrade, owner_url=database.owner_dsn, app_role=name)
        await seed(database.owner_dsn)
        yield database
    finally:
        await _drop(postgres, database)


@asynccontextmanager
async def copy_of(postgres: SharedPostgres, template: LomsDatabase) -> AsyncIterator[LomsDatabase]:
    """A database like the template, for the length of a block."""
    name = f"{template.name}_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(postgres.admin_dsn)
    try:
        await admin.execute(f'create database "{name}" template "{template.name}" owner "{owner_of(template.name)}"')
        yield _database(postgres, name, template.name)
        await admin.execute(f'drop database "{name}" with (force)')
    finally:
        await admin.close()


@pytest.fixture(scope="session")
def loms_template(postgres: SharedPostgres) -> Iterator[LomsDatabase]:
    """The database that every test's is a copy of."""
    with asyncio.Runner() as runner:
        making = loms_database_in(postgres)
        yield runner.run(making.__aenter__())
        runner.run(making.__aexit__(None, None, None))


@pytest.fixture
async def loms_database(postgres: SharedPostgres, loms_template: LomsDatabase) -> AsyncIterator[LomsDatabase]:
    async with copy_of(postgres, loms_template) as database:
        yield database


@pytest.fixture
async def platform(loms_database: LomsDatabase) -> AsyncIterator[Platform]:
    async with platform_over(loms_database) as platform:
        yield platform


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
