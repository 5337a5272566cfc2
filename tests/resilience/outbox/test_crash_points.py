"""Where a writer, a relay or the server can end, and what is left: nothing, a repeat, or what commits much later."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from outbox import Relay, TopicRule, append
from outbox.publisher import Stamp
from outbox.rows import Row
from outbox.testing import FakeBroker, FakePublisher
from tests.commit_cut import Where
from tests.given import Database, MakeTopic, SharedKafka, StartPostgres
from tests.outbox_given import (
    Connection,
    a_message,
    a_relay,
    commit,
    connected,
    install,
    read_topic,
    running,
    versions_of,
)
from tests.produce_cut import produce_cut
from tests.waiting import eventually

pytestmark = pytest.mark.faults

ORDERS = TopicRule("orders", versioned=True)
PASSED = "select bool_and(pg_visible_in_snapshot(xid, seen)) from outbox, outbox_cursor"


class KilledError(BaseException):
    """Nobody catches this."""


class DiesBeforeItSends(FakePublisher):
    """Ends whoever publishes, as a kill would, with the rows read and none sent."""

    async def publish(self, rows: Sequence[Row], stamp: Stamp) -> None:
        del rows, stamp
        raise KilledError


def _sent(broker: FakeBroker) -> list[tuple[str, int]]:
    return [(record.key, int(record.headers["ce_sequence"])) for record in broker.records("orders")]


async def test_a_writer_that_dies_before_its_commit_leaves_nothing(
    outbox_database: Database, connection: Connection
) -> None:
    broker = FakeBroker()
    async with running(a_relay(outbox_database.dsn, broker, ORDERS)):
        writer = await asyncpg.connect(outbox_database.dsn)
        await writer.execute("begin")
        await append(writer, a_message("orders", key="never"))
        writer.terminate()
        await commit(connection, a_message("orders", key="after"))

        await eventually(lambda: _sent(broker) == [("after", 1)])
        await eventually(lambda: connection.fetchval(PASSED))
    assert await connection.fetchval("select count(*) from outbox") == 1


async def test_a_relay_that_dies_with_rows_in_hand_leaves_them_to_the_next(
    outbox_database: Database, connection: Connection
) -> None:
    broker = FakeBroker()
    broker.create_topic("orders")
    await commit(connection, *[a_message("orders", version=version) for version in (1, 2)])
    dying = Relay(
        dsn=outbox_database.dsn, bootstrap_servers="", topics=[ORDERS], publisher=DiesBeforeItSends(broker, [ORDERS])
    )
    with pytest.raises(KilledError):
        await dying.run()
    assert _sent(broker) == []

    async with running(a_relay(outbox_database.dsn, broker, ORDERS)):
        await eventually(lambda: _sent(broker) == [("42", 1), ("42", 2)])


async def test_what_was_prepared_before_a_crash_is_delivered_when_it_commits(own_postgres: StartPostgres) -> None:
    server, broker = await asyncio.to_thread(own_postgres), FakeBroker()
    await install(server.admin_dsn)
    async with running(a_relay(server.admin_dsn, broker, ORDERS, backoff_seconds_max=0.1)):
        async with connected(server.admin_dsn) as first:
            await first.execute("begin")
            await append(first, a_message("orders", key="prepared"))
            await first.execute("prepare transaction 'over a crash'")
            await commit(first, a_message("orders", key="before"))
        await eventually(lambda: _sent(broker) == [("before", 1)])
        await asyncio.to_thread(server.stop, "immediate")
        await asyncio.to_thread(server.start)
        async with connected(server.admin_dsn) as second:
            await commit(second, a_message("orders", key="after"))
            await eventually(lambda: ("after", 1) in _sent(broker))
            assert ("prepared", 1) not in _sent(broker)

            await second.execute("commit prepared 'over a crash'")

            await eventually(lambda: ("prepared", 1) in _sent(broker))


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_batch_lost_on_its_way_or_its_lost_answer_leaves_each_event_once_in_the_log(
    outbox_database: Database, connection: Connection, kafka: SharedKafka, topic: MakeTopic, where: Where
) -> None:
    """The same producer tries again, and the broker knows what it has: no repeat without a new producer."""
    orders = await topic("orders")
    ports = [int(each.rpartition(":")[2]) for each in kafka.bootstrap.split(",")]
    async with produce_cut(ports) as (cut, bootstrap):
        relay = Relay(dsn=outbox_database.dsn, bootstrap_servers=bootstrap, topics=[TopicRule(orders, versioned=True)])
        async with running(relay):
            await commit(connection, a_message(orders, version=1))
            await eventually(lambda: connection.fetchval(PASSED))
            cut.arm(where)
            await commit(connection, a_message(orders, version=2))
            await eventually(lambda: cut.cuts == 1)
            await commit(connection, a_message(orders, version=3))
            records = await read_topic(kafka.bootstrap, orders, until=lambda found: 3 in versions_of(found, "42"))
    assert versions_of(records, "42") == [1, 2, 3]
