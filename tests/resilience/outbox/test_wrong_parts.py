"""Each experiment played with the right part and with the wrong one it was made for: the right ones pass, no others."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from outbox import TopicRule, append, errors
from outbox.kafka import KafkaPublisher
from outbox.publisher import Stamp
from outbox.session import Session
from outbox.testing import FakeBroker
from tests.given import Database, MakeTopic, SharedKafka, SharedPostgres
from tests.outbox_given import Connection, a_message, a_relay, commit, connected, read_topic, running, versions_of
from tests.outbox_rows import a_row
from tests.planted.reader_mistakes import QueuesAhead, ReadsBySystemXmin, ReadsByTransaction, WaitsForTheOldest
from tests.waiting import eventually

pytestmark = pytest.mark.faults

ORDERS = TopicRule("orders", versioned=True)
STAMP = Stamp(history="7300/1", epoch=1, voids=frozenset())
PASSED = "select bool_and(pg_visible_in_snapshot(xid, seen)) from outbox, outbox_cursor"
RUNNING = "select exists (select from outbox_cursor, pg_snapshot_xip(seen) as xip where xip = $1::text::xid8)"


@asynccontextmanager
async def _relayed(database: Database, sessions: type[Session]) -> AsyncIterator[FakeBroker]:
    broker = FakeBroker()
    async with running(a_relay(database.dsn, broker, ORDERS, sessions=sessions.open)):
        yield broker


def _sent(broker: FakeBroker) -> list[tuple[str, int]]:
    return [(record.key, int(record.headers["ce_sequence"])) for record in broker.records("orders")]


async def _passed(connection: Connection) -> bool:
    """Whether the stored cursor claims to be past every row."""
    return bool(await connection.fetchval(PASSED))


@pytest.mark.parametrize(("sessions", "sent"), [(Session, [1, 2]), (ReadsByTransaction, [2, 1])])
async def test_only_a_reader_by_transactions_inverts_what_was_written_by_a_younger_one_first(
    outbox_database: Database, connection: Connection, sessions: type[Session], sent: list[int]
) -> None:
    async with connected(outbox_database.dsn) as older, older.transaction():
        await older.execute("select pg_current_xact_id()")
        await commit(connection, a_message("orders", version=1))
        await append(older, a_message("orders", version=2))

    async with _relayed(outbox_database, sessions) as broker:
        await eventually(lambda: _passed(connection))

    assert [version for _, version in _sent(broker)] == sent


@pytest.mark.parametrize(("sessions", "sent"), [(Session, 5), (WaitsForTheOldest, 0)])
async def test_only_a_reader_that_waits_for_the_oldest_misses_what_committed_beside_a_stranger(
    outbox_database: Database, connection: Connection, postgres: SharedPostgres, sessions: type[Session], sent: int
) -> None:
    async with connected(postgres.admin_dsn) as stranger, stranger.transaction():
        await stranger.execute("select pg_current_xact_id()")
        async with _relayed(outbox_database, sessions) as broker:
            await commit(connection, *[a_message("orders", version=version) for version in range(1, 6)])
            await eventually(lambda: _passed(connection))

    assert len(_sent(broker)) == sent


@pytest.mark.parametrize(("sessions", "found"), [(Session, True), (ReadsBySystemXmin, False)])
async def test_only_a_reader_by_the_system_column_loses_what_a_savepoint_wrote(
    outbox_database: Database, connection: Connection, sessions: type[Session], *, found: bool
) -> None:
    async with _relayed(outbox_database, sessions) as broker:
        async with connected(outbox_database.dsn) as other, connection.transaction():
            xid = await connection.fetchval("select pg_current_xact_id()::text")
            async with connection.transaction():
                await append(connection, a_message("orders", key="inside"))
            await commit(other, a_message("orders", key="beside"))
            await eventually(lambda: other.fetchval(RUNNING, xid))
        await eventually(lambda: _passed(connection))

    assert (("inside", 1) in _sent(broker)) == found


async def test_a_sequence_with_a_cache_numbers_a_later_version_before_an_earlier_one(
    outbox_database: Database, connection: Connection
) -> None:
    await connection.execute("alter sequence outbox_seq cache 50")
    async with connected(outbox_database.dsn) as other:
        await commit(connection, a_message("orders", key="first to draw"))
        await commit(other, a_message("orders", version=1))
        await commit(connection, a_message("orders", version=2))

    rows = await connection.fetch("select version from outbox where key = '42' order by seq")
    assert [row["version"] for row in rows] == [2, 1]


async def test_a_status_column_leaves_a_dead_row_for_every_event_where_ours_leaves_none(
    outbox_database: Database, connection: Connection
) -> None:
    await connection.execute("create table classic (id int primary key, status text)")
    await connection.execute("insert into classic select n, 'new' from generate_series(1, 100) as n")
    async with connected(outbox_database.dsn) as holder, holder.transaction(isolation="repeatable_read"):
        await holder.execute("select count(*) from classic")
        await connection.execute("update classic set status = 'sent'")
        await connection.execute("select pg_stat_force_next_flush()")

        dead = "select n_dead_tup from pg_stat_user_tables where relname = 'classic'"
        assert await connection.fetchval(dead) == 100


async def test_a_plain_detach_makes_a_writer_wait_longer_than_the_housekeeping_may(
    outbox_database: Database, connection: Connection
) -> None:
    near = await connection.fetchval(
        "select inhrelid::regclass from pg_inherits where inhrelid::regclass::text ~ 'near'"
    )
    async with connected(outbox_database.dsn) as open_writer, connected(outbox_database.dsn) as careless:
        await open_writer.execute("begin")
        await append(open_writer, a_message("orders", key="open"))
        await connection.execute("set lock_timeout = '50ms'")
        detaching = asyncio.ensure_future(careless.execute(f"alter table outbox detach partition {near}"))

        await eventually(lambda: _fails_to_write(connection))
        await open_writer.execute("rollback")
        await detaching


async def _fails_to_write(connection: Connection) -> bool:
    try:
        await commit(connection, a_message("orders"))
    except asyncpg.LockNotAvailableError:
        return True
    return False


@pytest.mark.parametrize(("kind", "landed"), [(KafkaPublisher, [9]), (QueuesAhead, [2, 3, 9])])
async def test_only_a_publisher_that_queues_ahead_lets_a_refused_batch_be_passed(
    kafka: SharedKafka, topic: MakeTopic, kind: type[KafkaPublisher], landed: list[int]
) -> None:
    orders = await topic("orders", max_message_bytes="3000")
    rule = TopicRule(orders, versioned=True, max_bytes=3_000)
    publisher = kind(bootstrap_servers=kafka.bootstrap, topics=[rule], source="loms")
    rows = [a_row(orders, 1, payload=os.urandom(6_000))]
    rows += [a_row(orders, seq, payload=os.urandom(1_500)) for seq in (2, 3)]

    with suppress(errors.RecordRefused, errors.PublishFailed):
        await publisher.publish(rows, STAMP)
    await publisher.publish([a_row(orders, 9)], STAMP)

    records = await read_topic(kafka.bootstrap, orders, until=lambda found: 9 in versions_of(found, "42"))
    assert versions_of(records, "42") == landed
    await publisher.discard()
