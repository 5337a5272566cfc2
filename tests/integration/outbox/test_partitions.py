"""Partitions are refilled, carved and dropped while writers write: none waits long, none fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from prometheus_client import REGISTRY

from outbox import TopicRule, append
from outbox.housekeeping import Housekeeper, connect
from outbox.rebuild import plan_rebuild, rebuild
from outbox.schema import partitions_sql
from outbox.testing import FakeBroker
from stack.ports import free_port
from stack.servers import Postgres
from tests.given import Database, SharedPostgres
from tests.outbox_given import Connection, a_message, a_relay, commit, connected, install, running
from tests.waiting import eventually

WIDTH = 200


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server whose transaction ids nobody else takes."""
    folder = tmp_path_factory.mktemp("partitions")
    server = Postgres(folder / "postgres", free_port(), extra_settings={"fsync": "off"}, dies_with_parent=True)
    with server:
        yield server


@pytest.fixture
async def narrow(alone: Postgres) -> Database:
    """An outbox whose partitions are so narrow that a test can use them up."""
    name = f"narrow_{uuid4().hex[:8]}"
    async with connected(alone.admin_dsn) as connection:
        await connection.execute(f"create database {name}")
    database = Database(name, f"{alone.admin_dsn.rpartition('/')[0]}/{name}", SharedPostgres(alone.admin_dsn))
    await install(database.dsn, partition_width=WIDTH)
    return database


@pytest.fixture
async def keeper(narrow: Database) -> AsyncIterator[Housekeeper]:
    connection = await connect(narrow.dsn, "test")
    try:
        yield Housekeeper(connection, retention=timedelta(hours=72))
    finally:
        await connection.close()


@pytest.fixture
async def writer(narrow: Database) -> AsyncIterator[Connection]:
    async with connected(narrow.dsn) as connection:
        yield connection


async def _current_xid(connection: Connection) -> int:
    return int(await connection.fetchval("select pg_snapshot_xmax(pg_current_snapshot())::text"))


async def _use_up_ids(connection: Connection, until: int) -> None:
    while (behind := until - await _current_xid(connection)) > 0:
        for _ in range(behind):
            await connection.execute("select pg_current_xact_id()")


@contextlib.asynccontextmanager
async def _writing_all_the_while(dsn: str, *, lock_wait_max: str) -> AsyncIterator[list[int]]:
    """Another writer at work as long as the block lasts; it fails if it ever waits longer for a lock."""
    written: list[int] = []
    done = asyncio.Event()

    async def write() -> None:
        async with connected(dsn) as connection:
            await connection.execute(f"set lock_timeout = '{lock_wait_max}'")
            while not done.is_set():
                await commit(connection, a_message("orders", key=str(len(written))))
                written.append(len(written))

    task = asyncio.create_task(write())
    try:
        yield written
    finally:
        done.set()
        await task


async def test_the_lead_is_refilled_before_it_is_used_up(keeper: Housekeeper, writer: Connection) -> None:
    before = await keeper.layout()
    await _use_up_ids(writer, before.end - 6 * WIDTH)

    after = await keeper.run()

    assert after.ahead(await _current_xid(writer)) == 16
    assert after.end > before.end
    assert after.near is not None
    assert after.far is not None
    assert (after.near.lower, after.near.upper) == (after.end, after.far.lower)


async def test_refilling_waits_for_an_open_writer_while_others_write_on(
    narrow: Database, keeper: Housekeeper, writer: Connection
) -> None:
    before = await keeper.layout()
    await _use_up_ids(writer, before.end - 6 * WIDTH)
    async with connected(narrow.dsn) as open_writer:
        transaction = open_writer.transaction()
        await transaction.start()
        await append(open_writer, a_message("orders", key="open"))
        async with _writing_all_the_while(narrow.dsn, lock_wait_max="50ms") as written:
            round_ = asyncio.create_task(keeper.run())
            await eventually(lambda: _a_detach_is_pending(writer))
            await eventually(lambda: len(written) > 100)
            await transaction.commit()
            after = await round_

    assert after.end > before.end


async def _a_detach_is_pending(connection: Connection) -> bool:
    return bool(await connection.fetchval("select exists (select from pg_inherits where inhdetachpending)"))


async def test_a_detach_left_pending_is_finished_first(narrow: Database, keeper: Housekeeper) -> None:
    near = (await keeper.layout()).near
    assert near is not None
    async with connected(narrow.dsn) as open_writer, connected(narrow.dsn) as interrupted:
        transaction = open_writer.transaction()
        await transaction.start()
        await append(open_writer, a_message("orders", key="open"))
        await interrupted.execute("set statement_timeout = '200ms'")
        with pytest.raises(asyncpg.QueryCanceledError):
            await interrupted.execute(f"alter table outbox detach partition {near.name} concurrently")
        await transaction.commit()
    assert (await keeper.layout()).pending != ()

    after = await keeper.run()

    assert after.pending == ()
    assert after.near is not None
    assert after.far is not None
    assert (after.near.lower, after.near.upper) == (after.end, after.far.lower)


async def test_rows_in_near_are_carved_into_a_range_while_others_write(
    narrow: Database, keeper: Housekeeper, writer: Connection
) -> None:
    before = await keeper.layout()
    assert before.near is not None
    await _use_up_ids(writer, before.end + 1)
    await commit(writer, a_message("orders", key="overflowed"))
    assert await writer.fetchval(f"select count(*) from {before.near.name}") == 1

    async with _writing_all_the_while(narrow.dsn, lock_wait_max="100ms") as written:
        await eventually(lambda: len(written) > 20)
        await eventually(lambda: _carved(keeper, writer), every=0.2)
        after = await keeper.layout()
        so_far = len(written)
        await eventually(lambda: len(written) > so_far + 20)

    assert after.holds(await _current_xid(writer))
    assert after.near is not None
    assert await writer.fetchval(f"select count(*) from {after.near.name}") == 0
    assert await writer.fetchval("select count(*) from outbox where key = 'overflowed'") == 1


async def _carved(keeper: Housekeeper, writer: Connection) -> bool:
    """Whether a round, this one or one before, found its moment between the writers."""
    return (await keeper.run()).holds(await _current_xid(writer))


async def test_carving_waits_for_a_better_moment_rather_than_make_writers_wait(
    narrow: Database, keeper: Housekeeper, writer: Connection
) -> None:
    before = await keeper.layout()
    await _use_up_ids(writer, before.end + 1)
    async with connected(narrow.dsn) as open_writer:
        transaction = open_writer.transaction()
        await transaction.start()
        await append(open_writer, a_message("orders", key="open"))
        async with _writing_all_the_while(narrow.dsn, lock_wait_max="100ms") as written:
            await keeper.carve()
            so_far = len(written)
            await eventually(lambda: len(written) > so_far)
        assert (await keeper.layout()).near == before.near
        await transaction.commit()

    after = await keeper.run()

    assert after.holds(await _current_xid(writer))


async def test_near_moves_far_up_when_it_becomes_narrow(keeper: Housekeeper, writer: Connection) -> None:
    layout = await keeper.layout()
    assert layout.near is not None
    assert layout.far is not None
    await writer.execute(f"alter table outbox detach partition {layout.near.name}")
    await writer.execute(f"alter table outbox detach partition {layout.far.name}")
    await writer.execute(f"drop table {layout.near.name}, {layout.far.name}")
    boundary = layout.end + 1_000
    for name, lower, upper in (("outbox_near_x", layout.end, boundary), ("outbox_far_x", boundary, 2**64 - 1)):
        await writer.execute(f"create table {name} partition of outbox for values from ('{lower}') to ('{upper}')")
    await _use_up_ids(writer, layout.end - 6 * WIDTH)

    after = await keeper.run()

    assert after.near is not None
    assert after.far is not None
    assert after.near.upper - after.near.lower == 2**33
    assert after.far.lower == after.near.upper


async def test_a_range_is_dropped_only_when_old_and_passed_by_every_reader(
    keeper: Housekeeper, writer: Connection
) -> None:
    await commit(writer, a_message("orders", key="old"))
    await _use_up_ids(writer, (await keeper.layout()).ranges[1].upper)
    old, *_ = (await keeper.layout()).ranges

    await keeper.drop_passed()
    assert old in (await keeper.layout()).ranges, "nobody has passed it"

    await writer.execute("update outbox_cursor set seen = pg_current_snapshot()")
    await keeper.drop_passed()
    assert old in (await keeper.layout()).ranges, "its rows are young"

    await writer.execute("update outbox set occurred_at = now() - interval '73 h'")
    await writer.execute(
        "insert into outbox_cursor (name, seen, epoch, lease_until, system_id, timeline, state)"
        " values ('second', $1::text::pg_snapshot, 0, now(), '', 1, 'running')",
        f"{old.lower + 1}:{old.upper + 50}:{old.upper - 1}",
    )
    await keeper.drop_passed()
    assert old in (await keeper.layout()).ranges, "a second reader knew a transaction of it as running"

    await writer.execute("delete from outbox_cursor where name = 'second'")
    await keeper.drop_passed()
    assert old not in (await keeper.layout()).ranges
    assert await writer.fetchval("select count(*) from outbox") == 0


async def test_rows_stranded_by_an_interrupted_round_come_back(keeper: Housekeeper, writer: Connection) -> None:
    near = (await keeper.layout()).near
    assert near is not None
    await _use_up_ids(writer, near.lower + 1)
    await commit(writer, a_message("orders", key="stranded"))
    await writer.execute(f"alter table outbox detach partition {near.name}")

    await keeper.run()

    assert await writer.fetchval("select count(*) from outbox where key = 'stranded'") == 1


async def test_a_restored_table_gets_partitions_around_the_servers_xid(writer: Connection) -> None:
    """As after a dump: rows and partitions of a counter that was much further."""
    for (name,) in await writer.fetch(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'outbox'::regclass"
    ):
        await writer.execute(f"drop table {name}")
    await writer.execute("create table outbox_1 partition of outbox for values from ('5000000000') to ('6000000000')")
    await writer.execute(
        "insert into outbox (xid, event_id, topic, key, version, type, payload)"
        " select '5000000001', gen_random_uuid(), 'orders', '42', n, 't', '' from generate_series(1, 3) as n"
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await commit(writer, a_message("orders"))

    plan = await plan_rebuild(writer)
    taken = await rebuild(writer, reason="restored from a dump")

    assert (plan.needed, plan.rows, taken) == (True, 3, 3)
    assert not (await plan_rebuild(writer)).needed
    assert [row[0] for row in await writer.fetch("select version from outbox order by seq")] == [1, 2, 3]
    await commit(writer, a_message("orders", version=4))


def test_the_statement_that_makes_partitions_is_the_installations() -> None:
    assert "near    constant numeric := 8589934592" in partitions_sql()


async def test_what_troubles_the_housekeeping_never_stops_the_relay(narrow: Database, writer: Connection) -> None:
    """A partition of somebody else's making: the rounds fail, are counted, and publishing goes on."""
    await writer.execute("create table somebodys partition of outbox default")
    broker = FakeBroker()
    failures = "outbox_housekeeping_failures_total"
    before = REGISTRY.get_sample_value(failures) or 0.0
    async with running(a_relay(narrow.dsn, broker, TopicRule("orders", versioned=True))):
        await eventually(lambda: (REGISTRY.get_sample_value(failures) or 0.0) > before)
        await commit(writer, a_message("orders"))

        await eventually(lambda: len(broker.records("orders")) == 1)
