"""Partitions are dropped under an open writer, and used up while nothing can be done about it: said, and mended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from outbox import append
from outbox.housekeeping import Housekeeper, connect
from tests.given import StartPostgres
from tests.outbox_given import Connection, a_message, commit, connected, install
from tests.waiting import eventually

pytestmark = pytest.mark.faults

WIDTH = 200


@asynccontextmanager
async def _house(own_postgres: StartPostgres) -> AsyncIterator[tuple[str, Housekeeper, Connection]]:
    """A server whose transaction ids nobody else takes, narrow partitions, who keeps them, and a connection."""
    server = await asyncio.to_thread(own_postgres)
    await install(server.admin_dsn, partition_width=WIDTH)
    keeping = await connect(server.admin_dsn, "test")
    try:
        async with connected(server.admin_dsn) as connection:
            yield server.admin_dsn, Housekeeper(keeping, retention=timedelta(hours=72)), connection
    finally:
        await keeping.close()


async def _use_up_ids(connection: Connection, until: int) -> None:
    while int(await connection.fetchval("select pg_current_xact_id()::text")) < until:
        pass


async def test_dropping_waits_for_an_open_writer_while_others_write_on(own_postgres: StartPostgres) -> None:
    async with _house(own_postgres) as (dsn, keeper, connection):
        await commit(connection, a_message("orders", key="old"))
        old, following, *_ = (await keeper.layout()).ranges
        await _use_up_ids(connection, following.upper)
        await connection.execute("update outbox set occurred_at = now() - interval '73 h'")
        await connection.execute("update outbox_cursor set seen = pg_current_snapshot()")
        async with connected(dsn) as open_writer:
            await open_writer.execute("begin")
            await append(open_writer, a_message("orders", key="open"))
            dropping = asyncio.ensure_future(keeper.drop_passed())
            await eventually(lambda: connection.fetchval("select bool_or(inhdetachpending) from pg_inherits"))
            await connection.execute("set lock_timeout = '50ms'")
            for number in range(100):
                await commit(connection, a_message("orders", key=str(number)))
            assert not dropping.done()
            await open_writer.execute("commit")
            await dropping

        assert old not in (await keeper.layout()).ranges
        assert await connection.fetchval("select count(*) from outbox") == 101


async def test_rows_beyond_the_last_range_are_told_of_until_they_have_one(own_postgres: StartPostgres) -> None:
    async with _house(own_postgres) as (dsn, keeper, connection):
        await _use_up_ids(connection, (await keeper.layout()).end)
        async with connected(dsn) as open_writer:
            await open_writer.execute("begin")
            await append(open_writer, a_message("orders", key="open"))
            await commit(connection, *[a_message("orders", version=version) for version in (1, 2, 3)])
            await keeper.run()
            assert REGISTRY.get_sample_value("outbox_overflow_rows") == 3
            await open_writer.execute("commit")

        await keeper.run()

        assert REGISTRY.get_sample_value("outbox_overflow_rows") == 0
        assert await connection.fetchval("select count(*) from outbox") == 4
