"""A transaction pooler is noticed, lived with where it may stand, and refused where it may not: a real pgbouncer."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import asyncpg
import pytest

from chassis.pooler import Answering, DirectAddress, PooledAddress, who_answers
from chassis.postgres import Pool
from stack.servers.pgbouncer import carries_prepared_statements, pgbouncer_binary
from tests.given import Database, StartPostgres
from tests.poolers import Pooler, pooler_before, require_pgbouncer

TWO = 2  # connections to the server, however many clients


@pytest.fixture(params=[Answering.FORGETFUL_POOLER, Answering.PREPARING_POOLER], ids=lambda each: each.name.lower())
def kind(request: pytest.FixtureRequest) -> Answering:
    require_pgbouncer()
    chosen: Answering = request.param
    if chosen is Answering.PREPARING_POOLER and not carries_prepared_statements(pgbouncer_binary()):
        pytest.skip("the system's pgbouncer is older than 1.21, which carries prepared statements")
    return chosen


@pytest.fixture
def pooler(database: Database, kind: Answering) -> Iterator[Pooler]:
    with pooler_before(database.dsn, pool_size=TWO, extra_settings=_carrying_none(kind)) as running:
        yield running


async def test_it_is_noticed_and_told_what_it_carries(database: Database, pooler: Pooler, kind: Answering) -> None:
    through = pooler.through(database.dsn)

    answers = [await who_answers(dsn) for dsn in (database.dsn, through, through)]

    assert answers == [Answering.SERVER, kind, kind]


async def test_twelve_clients_share_two_connections_and_get_their_own_answers(
    database: Database, pooler: Pooler
) -> None:
    backends: set[int] = set()

    async def client(number: int, pool: Pool) -> list[str]:
        async with pool.acquire() as connection:
            alone = await connection.fetchval("select $1::int + 1", number)
            other = await connection.fetchval(f"select $1::text || '-{number % 3}'", str(number))
            async with connection.transaction():
                backends.add(await connection.fetchval("select pg_backend_pid()"))
                within = await connection.fetchval("select $1::bigint * 2", number)
            return [str(alone), other, str(within)]

    async with AsyncExitStack() as stack:
        pool = await _started(stack, pooler.through(database.dsn), max_size=12)
        rounds = [await asyncio.gather(*(client(number, pool) for number in range(12))) for _ in range(20)]

    assert rounds == [[[str(n + 1), f"{n}-{n % 3}", str(n * 2)] for n in range(12)]] * 20
    assert len(backends) == TWO


async def test_a_driver_that_keeps_statements_loses_them_behind_one_that_carries_none(database: Database) -> None:
    carrying_none = _carrying_none(Answering.FORGETFUL_POOLER)
    with pooler_before(database.dsn, pool_size=TWO, extra_settings=carrying_none) as pooler:
        clients = [await asyncpg.connect(pooler.through(database.dsn)) for _ in range(6)]

        answers = await asyncio.gather(*(_ask_often(client) for client in clients), return_exceptions=True)

        for client in clients:
            client.terminate()
    assert any(isinstance(answer, asyncpg.InvalidSQLStatementNameError) for answer in answers)


async def test_the_pooler_bounds_statements_in_the_place_of_the_pool(database: Database, pooler: Pooler) -> None:
    async with AsyncExitStack() as stack:
        pool = await _started(stack, pooler.through(database.dsn))
        async with pool.acquire() as connection:
            names = ("statement_timeout", "idle_in_transaction_session_timeout", "application_name")
            found = [await connection.fetchval(f"show {name}") for name in names]

    assert found == ["5s", "10s", "shop"]


async def test_a_pool_waits_for_a_database_that_comes_up_behind_the_pooler(own_postgres: StartPostgres) -> None:
    server = own_postgres()
    dsn = server.admin_dsn
    server.stop()
    with pooler_before(dsn) as pooler:
        async with AsyncExitStack() as stack:
            starting = asyncio.create_task(_started(stack, pooler.through(dsn)))
            await asyncio.to_thread(server.start)

            pool = await starting

            await pool.check()


async def test_the_server_itself_is_a_direct_address(database: Database) -> None:
    direct = DirectAddress(database.dsn, setting="SHOP_DIRECT_URL", reason="the shop listens")

    await direct.start()
    await direct.stop()


async def test_a_pooled_address_is_refused_with_the_reason_and_the_cure(database: Database, pooler: Pooler) -> None:
    through = pooler.through(database.dsn)

    with pytest.raises(PooledAddress) as refusal:
        await DirectAddress(through, setting="SHOP_DIRECT_URL", reason="the shop listens").start()

    assert str(refusal.value) == (
        f"SHOP_DIRECT_URL leads to a connection pooler at 127.0.0.1:{pooler.server.port}, and the shop listens: "
        "set SHOP_DIRECT_URL to the address of PostgreSQL itself"
    )


def _carrying_none(kind: Answering) -> dict[str, str]:
    """The setting that takes from a newer pooler what an older one does not have."""
    newer = carries_prepared_statements(pgbouncer_binary())
    return {"max_prepared_statements": "0"} if newer and kind is Answering.FORGETFUL_POOLER else {}


async def _started(stack: AsyncExitStack, dsn: str, *, max_size: int = 4) -> Pool:
    pool = Pool(dsn, application_name="shop", max_size=max_size)
    await pool.start()
    stack.push_async_callback(pool.stop)
    return pool


async def _ask_often(client: "asyncpg.Connection[asyncpg.Record]") -> None:
    for number in range(50):
        await client.fetchval("select $1::int", number)
