"""Who may do what in a service's database."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from stack.databases import create_database, owner_of
from tests.given import SharedPostgres

OWNERS, APPS, VERIFIERS = "owner's secret", "app's secret", "verifier's secret"


@dataclass(frozen=True, slots=True)
class ServiceDatabase:
    server: SharedPostgres
    name: str

    @property
    def owner(self) -> str:
        return self.server.dsn(self.name, owner_of(self.name), OWNERS)

    @property
    def app(self) -> str:
        return self.server.dsn(self.name, self.name, APPS)

    @property
    def verifier(self) -> str:
        return self.server.dsn(self.name, "verifier", VERIFIERS)


async def made(server: SharedPostgres, name: str) -> None:
    """The database under test."""
    await create_database(server.admin_dsn, name, owner_password=OWNERS, app_password=APPS, verifier_password=VERIFIERS)


@asynccontextmanager
async def service_database(server: SharedPostgres) -> AsyncIterator[ServiceDatabase]:
    """A database with its roles, all removed afterwards."""
    name = f"service_{uuid.uuid4().hex[:8]}"
    await made(server, name)
    yield ServiceDatabase(server, name)
    async with connected(server.admin_dsn) as admin:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.execute(f"DROP ROLE {name}, {owner_of(name)}")


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection closed at the end."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def orders(postgres: SharedPostgres) -> AsyncIterator[ServiceDatabase]:
    """A service's database with one table its app was granted and one it was not."""
    async with service_database(postgres) as database:
        async with connected(database.owner) as owner:
            await owner.execute("CREATE TABLE orders (id bigint); CREATE TABLE cursors (id bigint)")
            await owner.execute(f"GRANT SELECT, INSERT ON orders TO {database.name}")
        yield database


async def test_the_owner_sees_how_long_a_strangers_transaction_is_open(postgres: SharedPostgres) -> None:
    open_since = "SELECT xact_start FROM pg_stat_activity WHERE pid = $1 AND backend_xid IS NOT NULL"
    async with (
        service_database(postgres) as database,
        connected(postgres.admin_dsn) as stranger,
        connected(database.owner) as owner,
        stranger.transaction(),
    ):
        await stranger.execute("SELECT pg_current_xact_id()")

        assert await owner.fetchval(open_since, stranger.get_server_pid()) is not None


async def test_the_owner_makes_tables_and_the_app_uses_what_it_was_granted(orders: ServiceDatabase) -> None:
    async with connected(orders.app) as app:
        await app.execute("INSERT INTO orders VALUES (42)")

        assert await app.fetchval("SELECT id FROM orders") == 42


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id bigint)",
        "CREATE TEMPORARY TABLE mine (id bigint)",
        "CREATE SCHEMA mine",
        "SELECT * FROM cursors",
        "DELETE FROM orders",
        "DROP TABLE orders",
    ],
)
async def test_the_app_may_do_nothing_else(orders: ServiceDatabase, statement: str) -> None:
    async with connected(orders.app) as app:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(statement)


async def test_no_role_of_one_service_reaches_the_database_of_another(
    orders: ServiceDatabase, postgres: SharedPostgres
) -> None:
    async with service_database(postgres) as other:
        for role, password in ((other.name, APPS), (owner_of(other.name), OWNERS)):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(postgres.dsn(orders.name, role, password))


async def test_the_verifier_reads_everything_and_writes_nothing(orders: ServiceDatabase) -> None:
    async with connected(orders.verifier) as verifier:
        assert await verifier.fetchval("SELECT count(*) FROM cursors") == 0
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await verifier.execute("INSERT INTO orders VALUES (1)")
        await verifier.execute("SET default_transaction_read_only = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await verifier.execute("INSERT INTO orders VALUES (1)")


async def test_making_it_again_keeps_the_data(orders: ServiceDatabase, postgres: SharedPostgres) -> None:
    async with connected(orders.owner) as owner:
        await owner.execute("INSERT INTO orders VALUES (42)")

    await made(postgres, orders.name)

    async with connected(orders.app) as app:
        assert await app.fetchval("SELECT id FROM orders") == 42
