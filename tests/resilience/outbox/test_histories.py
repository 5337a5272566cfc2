"""Another history of the database is refused by name, or noted and gone on from."""

import asyncio

import pytest

from outbox import TopicRule, errors
from outbox.operations.reset import ResetTo, plan_reset, reset
from outbox.rebuild import plan_rebuild, rebuild
from outbox.session import Session
from outbox.testing import FakeBroker
from stack.servers import Postgres
from stack.servers.postgres_files import binaries
from tests.given import StartPostgres
from tests.outbox_given import WRITER_ROLE, a_message, a_relay, commit, connected, install, running
from tests.waiting import eventually

pytestmark = pytest.mark.faults

ORDERS = TopicRule("orders", versioned=True)


def _sent(broker: FakeBroker) -> list[int]:
    return [int(record.headers["ce_sequence"]) for record in broker.records("orders")]


async def test_a_standby_is_no_source_until_it_is_promoted(own_postgres: StartPostgres) -> None:
    primary = await asyncio.to_thread(own_postgres)
    await install(primary.admin_dsn)
    async with connected(primary.admin_dsn) as connection:
        await commit(connection, a_message("orders", version=1))
    standby = await asyncio.to_thread(own_postgres, copy_of=primary)
    broker = FakeBroker()
    relay = a_relay(standby.admin_dsn, broker, ORDERS, backoff_seconds_max=0.1)

    with pytest.raises(errors.NotPrimary):
        await Session.open(standby.admin_dsn, "test")
    async with running(relay), connected(standby.admin_dsn) as promoted:
        await asyncio.to_thread(primary.kill)
        assert not relay.owns
        await promoted.execute("select pg_promote()")
        await commit(promoted, a_message("orders", version=2))

        await eventually(lambda: _sent(broker) == [1, 2])
        assert await promoted.fetchval("select timeline from outbox_cursor") == 2
    assert broker.records("orders")[0].headers["outbox_history"].endswith("/2")


async def test_a_dump_restored_elsewhere_needs_a_decision(own_postgres: StartPostgres) -> None:
    origin = await asyncio.to_thread(own_postgres)
    await install(origin.admin_dsn)
    async with connected(origin.admin_dsn) as connection:
        for _ in range(500):
            await connection.execute("select pg_current_xact_id()")
        await commit(connection, *[a_message("orders", version=version) for version in (1, 2, 3)])
    fresh = await asyncio.to_thread(own_postgres)
    await _restore(origin, fresh)
    broker = FakeBroker()

    with pytest.raises(errors.CursorNeedsReset, match="belongs to database system"):
        await a_relay(fresh.admin_dsn, broker, ORDERS).run()
    async with connected(fresh.admin_dsn) as connection:
        assert (await plan_rebuild(connection)).needed
        await rebuild(connection, reason="restored")
        await reset(connection, await plan_reset(connection, ResetTo.FROM_SEQ, from_seq=2), reason="restored")
        async with running(a_relay(fresh.admin_dsn, broker, ORDERS)):
            await commit(connection, a_message("orders", version=4))

            await eventually(lambda: _sent(broker) == [2, 3, 4])


async def _restore(origin: Postgres, fresh: Postgres) -> None:
    async with connected(fresh.admin_dsn) as connection:
        await connection.execute(f"create role {WRITER_ROLE}")
    dump = await _output("pg_dump", "--dbname", origin.admin_dsn)
    await _output("psql", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", fresh.admin_dsn, given=dump)


async def _output(program: str, *arguments: str, given: bytes = b"") -> bytes:
    process = await asyncio.create_subprocess_exec(
        binaries() / program,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate(given)
    assert process.returncode == 0, program
    return said
