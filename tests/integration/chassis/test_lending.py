"""A connection that comes back clean is lent again without the pool; whoever waits in the pool still gets it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from chassis.lending import Lending
from tests.given import Database
from tests.waiting import eventually

NEVER = 3600.0


@asynccontextmanager
async def lending_from(database: Database, *, max_size: int = 2, rest_seconds: float = NEVER) -> AsyncIterator[Lending]:
    async with asyncpg.create_pool(database.dsn, min_size=0, max_size=max_size) as pool:
        lending = Lending(pool, acquire_seconds_max=5, rest_seconds=rest_seconds)
        try:
            yield lending
        finally:
            await lending.close()


async def test_one_that_comes_back_clean_is_lent_again_at_once(database: Database) -> None:
    async with lending_from(database) as lending:
        async with lending.loan() as connection:
            first = connection
        kept = lending.at_hand
        async with lending.loan() as connection:
            assert connection is first

    assert kept == 1
    assert lending.at_hand == 0


async def test_the_one_used_last_is_lent_first(database: Database) -> None:
    async with lending_from(database) as lending:
        async with lending.loan() as one:
            async with lending.loan() as other:
                pass
            assert other is not one

        async with lending.loan() as again:
            assert again is one


@pytest.mark.parametrize("left", ["an exception", "a transaction", "nothing, for it was lost"])
async def test_one_that_needs_cleaning_goes_home(database: Database, left: str) -> None:
    async with lending_from(database) as lending:
        with suppress(ZeroDivisionError):
            async with lending.loan() as connection:
                await _leave(left, connection)

        assert lending.at_hand == 0
        async with lending.loan() as connection:
            assert not connection.is_in_transaction()
            assert await connection.fetchval("select 1") == 1


async def test_one_that_is_lost_while_it_lies_here_is_not_lent(database: Database) -> None:
    lost = asyncio.Event()
    async with lending_from(database) as lending:
        async with lending.loan() as connection:
            pid = connection.get_server_pid()
            connection.add_termination_listener(lambda _: lost.set())
        await _kill(database, pid)
        await asyncio.wait_for(lost.wait(), timeout=10)
        assert lending.at_hand == 1

        async with lending.loan() as connection:
            assert connection.get_server_pid() != pid
            assert await connection.fetchval("select 1") == 1


async def test_who_waits_is_served_in_turn_by_those_who_come_back(database: Database) -> None:
    served: list[int] = []

    async def borrow(number: int) -> None:
        async with lending.loan() as connection:
            await connection.fetchval("select 1")
            served.append(number)

    async with lending_from(database, max_size=1) as lending:
        async with lending.loan():
            waiting = [asyncio.create_task(borrow(number)) for number in range(5)]
            await eventually(lambda: lending.waiting == 5)
        await asyncio.gather(*waiting)

    assert served == [0, 1, 2, 3, 4]


async def test_what_lies_here_unused_goes_home_and_what_is_used_stays(database: Database) -> None:
    async with lending_from(database, rest_seconds=0.05) as lending:
        async with lending.loan(), lending.loan():
            pass
        assert lending.at_hand == 2

        await eventually(lambda: _used_until(lending, 1))
        await eventually(lambda: lending.at_hand == 0)


async def test_a_block_that_outlives_the_lending_brings_its_connection_home(database: Database) -> None:
    async with asyncpg.create_pool(database.dsn, min_size=1, max_size=1) as pool:
        lending = Lending(pool, acquire_seconds_max=5)
        async with lending.loan():
            await lending.close()

        assert lending.at_hand == 0
        assert pool.get_idle_size() == 1


async def _used_until(lending: Lending, left: int) -> bool:
    async with lending.loan() as connection:
        await connection.fetchval("select 1")
    return lending.at_hand == left


async def _leave(left: str, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]") -> None:
    match left:
        case "an exception":
            raise ZeroDivisionError
        case "a transaction":
            await connection.execute("begin")
        case _:
            connection.terminate()


async def _kill(database: Database, pid: int) -> None:
    admin = await asyncpg.connect(database.dsn)
    await admin.execute("select pg_terminate_backend($1)", pid)
    await admin.close()
