"""A pool waits for its database, bounds everything, and survives the database's restart."""

import asyncio

import asyncpg
import pytest
from prometheus_client import REGISTRY

from chassis.errors import DatabaseUnreachable, NotStarted
from chassis.postgres import Pool
from stack.ports import free_port
from tests.given import Database, StartPostgres
from tests.waiting import eventually


async def test_a_connection_says_whose_it_is_and_how_long_its_statements_may_take(database: Database) -> None:
    pool = Pool(
        database.dsn, application_name="shop-api", statement_seconds_max=1.5, idle_in_transaction_seconds_max=2.5
    )
    await pool.start()
    async with pool.acquire() as connection:
        names = ("application_name", "statement_timeout", "idle_in_transaction_session_timeout")
        settings = [await connection.fetchval("select current_setting($1)", name) for name in names]
    await pool.stop()

    assert settings == ["shop-api", "1500ms", "2500ms"]


async def test_a_statement_that_takes_too_long_is_ended_by_the_database(database: Database) -> None:
    pool = Pool(database.dsn, application_name="shop", statement_seconds_max=0.05)
    await pool.start()
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.QueryCanceledError):
            await connection.execute("select pg_sleep(10)")
    await pool.stop()


async def test_a_wait_for_a_connection_is_bounded(database: Database) -> None:
    pool = Pool(database.dsn, application_name="shop", max_size=1, acquire_seconds_max=0.05)
    await pool.start()
    async with pool.acquire():
        with pytest.raises(TimeoutError):
            async with pool.acquire():
                pass
    await pool.stop()


async def test_a_transaction_left_open_is_rolled_back_when_its_connection_comes_home(database: Database) -> None:
    pool = Pool(database.dsn, application_name="shop", max_size=1)
    await pool.start()
    async with pool.acquire() as connection:
        await connection.execute("create table facts (n int)")
        await connection.execute("begin")
        await connection.execute("insert into facts values (1)")

    async with pool.acquire() as connection:
        assert await connection.fetchval("select count(*) from facts") == 0
    await pool.stop()


async def test_handing_a_connection_back_costs_no_statement(database: Database) -> None:
    pool = Pool(database.dsn, application_name="shop", max_size=1)
    await pool.start()
    async with pool.acquire() as connection:
        await connection.execute("set work_mem = '5MB'")

    async with pool.acquire() as connection:
        assert await connection.fetchval("show work_mem") == "5MB"
    await pool.stop()


async def test_connections_are_counted_by_state(database: Database) -> None:
    pool = Pool(database.dsn, application_name="counted", min_size=2)
    await pool.start()
    async with pool.acquire():
        counts = [_connections("counted", "idle"), _connections("counted", "in use")]
    await pool.stop()

    assert counts == [1, 1]
    assert _connections("counted", "in use") == 0


async def test_a_pool_that_is_not_started_says_so_and_stops_twice(database: Database) -> None:
    pool = Pool(database.dsn, application_name="shop")

    with pytest.raises(NotStarted, match="pool shop is not running"):
        await pool.check()
    for step in (pool.stop, pool.start, pool.start, pool.check, pool.stop, pool.stop):
        await step()


async def test_a_database_that_stays_away_is_named_without_its_password() -> None:
    address = f"127.0.0.1:{free_port()}"
    pool = Pool(f"postgresql://shop:hunter2@{address}/shop", application_name="shop", start_seconds_max=0.1)

    with pytest.raises(DatabaseUnreachable, match=f"no connection to {address} within 0 s") as refusal:
        await pool.start()

    assert "hunter2" not in str(refusal.value)


async def test_a_dsn_of_several_hosts_is_named_with_all_of_them() -> None:
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{free_port()}"
    pool = Pool(f"postgresql://shop:hunter2@{hosts}/shop", application_name="shop", start_seconds_max=0.1)

    with pytest.raises(DatabaseUnreachable, match=hosts):
        await pool.start()


async def test_a_wrong_database_fails_the_start_at_once(database: Database) -> None:
    pool = Pool(f"{database.dsn}_missing", application_name="shop", start_seconds_max=600)

    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await pool.start()


@pytest.mark.faults
async def test_a_pool_waits_for_a_database_and_survives_its_crash(own_postgres: StartPostgres) -> None:
    server = own_postgres()
    dsn = server.admin_dsn
    server.stop()
    pool = Pool(dsn, application_name="shop", min_size=2)
    starting = asyncio.create_task(pool.start())

    await asyncio.to_thread(server.start)
    await starting
    await pool.check()
    await asyncio.to_thread(server.kill)
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
        await pool.check()
    await asyncio.to_thread(server.start)

    await eventually(lambda: _answers(pool))
    await pool.stop()


async def _answers(pool: Pool) -> bool:
    try:
        await pool.check()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True


def _connections(pool: str, state: str) -> float | None:
    return REGISTRY.get_sample_value("postgres_pool_connections", {"pool": pool, "state": state})
