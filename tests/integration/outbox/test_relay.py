"""One active relay, any number of standbys; what it owns it gives back."""

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial

import pytest

from outbox import Relay, TopicRule, Wake, errors
from outbox.publisher import Publisher, Stamp
from outbox.rows import Row
from outbox.testing import FakeBroker, FakePublisher
from tests.given import Database
from tests.outbox_given import Connection, a_message, a_relay, commit, running
from tests.waiting import eventually

ORDERS = TopicRule("orders", versioned=True)


def _versions(broker: FakeBroker, key: str = "42") -> list[int]:
    return [int(record.headers["ce_sequence"]) for record in broker.records("orders") if record.key == key]


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


async def test_only_one_of_two_relays_publishes(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    first = a_relay(outbox_database.dsn, broker, ORDERS, instance="relay-0")
    second = a_relay(outbox_database.dsn, broker, ORDERS, instance="relay-1")
    async with running(first):
        await eventually(lambda: first.owns)
        async with running(second):
            await commit(connection, *[a_message("orders", version=version) for version in range(1, 4)])

            await eventually(lambda: _versions(broker) == [1, 2, 3])
            assert not second.owns


async def test_a_graceful_stop_hands_the_lease_over_at_once(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    first, second = (a_relay(outbox_database.dsn, broker, ORDERS) for _ in range(2))
    async with running(first) as active:
        await eventually(lambda: first.owns)
        async with running(second):
            await commit(connection, a_message("orders", version=1))
            await eventually(lambda: _versions(broker) == [1])
            await active.stop()

            await eventually(lambda: second.owns, within=1.0)
            await commit(connection, a_message("orders", version=2))

            await eventually(lambda: _versions(broker) == [1, 2])


async def test_a_relay_whose_epoch_is_gone_stands_by_and_may_own_again(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    relay = a_relay(outbox_database.dsn, broker, ORDERS)
    async with running(relay):
        await eventually(lambda: relay.owns)
        await connection.execute("update outbox_cursor set epoch = epoch + 1, owner = gen_random_uuid()")

        await eventually(lambda: not relay.owns)
        await commit(connection, a_message("orders", version=1))

        await eventually(lambda: _versions(broker) == [1])
        assert await connection.fetchval("select epoch from outbox_cursor") == 3


class DeafPublisher:
    """Loses the first cancellation of its first publish, as `asyncio.wait_for` before Python 3.12 may."""

    def __init__(self, inner: Publisher) -> None:
        self._inner = inner
        self.publishing = asyncio.Event()

    async def open(self) -> None:
        await self._inner.open()

    async def publish(self, rows: Sequence[Row], stamp: Stamp) -> None:
        if self.publishing.is_set():
            await self._inner.publish(rows, stamp)
            return
        self.publishing.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async def discard(self) -> None:
        await self._inner.discard()


async def test_a_cancellation_that_got_lost_ends_no_relay(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    broker.create_topic("orders", partitions=2)
    deaf = DeafPublisher(FakePublisher(broker, [ORDERS]))
    relay = Relay(dsn=outbox_database.dsn, bootstrap_servers="", topics=[ORDERS], publisher=deaf)
    async with running(relay):
        await eventually(lambda: relay.owns)
        await commit(connection, a_message("orders", version=1))
        await deaf.publishing.wait()
        await connection.execute("update outbox_cursor set epoch = epoch + 1, owner = gen_random_uuid()")

        await eventually(lambda: _versions(broker) == [1])


async def test_a_lease_further_ahead_than_any_could_be_is_taken(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await connection.execute("update outbox_cursor set owner = gen_random_uuid(), lease_until = now() + interval '1 h'")
    relay = a_relay(outbox_database.dsn, broker, ORDERS)

    async with running(relay):
        await eventually(lambda: relay.owns, within=2.0)


async def test_the_stored_cursor_follows_what_was_acknowledged(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    relay = a_relay(outbox_database.dsn, broker, ORDERS)
    broker.create_topic("orders")
    broker.acknowledging.clear()
    unseen = "select count(*) from outbox, outbox_cursor where not pg_visible_in_snapshot(xid, seen)"

    async with running(relay):
        await commit(connection, a_message("orders", version=1))
        await eventually(lambda: _versions(broker) == [1])
        assert await connection.fetchval(unseen) == 1
        broker.acknowledging.set()

        await eventually(lambda: _nothing(connection, unseen))


def _reached(broker: FakeBroker, version: int) -> bool:
    return _versions(broker)[-1] == version


async def _nothing(connection: Connection, query: str) -> bool:
    return bool(await connection.fetchval(query) == 0)


async def test_a_wake_after_the_commit_beats_the_poll(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    relay = a_relay(outbox_database.dsn, broker, ORDERS, poll_seconds_min=1.0, poll_seconds_max=10.0)
    wake = Wake(outbox_database.dsn)
    await wake.start()
    async with running(relay):
        await eventually(lambda: relay.owns)
        await commit(connection, a_message("orders", version=1))
        await eventually(lambda: _versions(broker) == [1], within=2.0)
        for version in range(2, 7):
            await commit(connection, a_message("orders", version=version))
            wake.set()
            await eventually(partial(_reached, broker, version), within=0.5)
    await wake.stop()
    await wake.stop()


async def test_a_lost_wake_costs_a_poll(outbox_database: Database, connection: Connection, broker: FakeBroker) -> None:
    async with running(a_relay(outbox_database.dsn, broker, ORDERS)):
        await commit(connection, a_message("orders", version=1))

        await eventually(lambda: _versions(broker) == [1], within=1.0)


async def test_a_wake_without_a_database_troubles_nobody() -> None:
    wake = Wake("postgresql://nobody:x@127.0.0.1:1/none")
    await wake.start()
    await wake.start()

    wake.set()

    await wake.stop()


async def test_a_broker_that_is_away_keeps_rows_and_lease(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    relay = a_relay(outbox_database.dsn, broker, ORDERS, backoff_seconds_max=0.05)
    lease_is_ours = "select lease_until > clock_timestamp() and epoch = 1 from outbox_cursor"
    async with running(relay):
        await eventually(lambda: relay.owns)
        broker.away = True
        await commit(connection, *[a_message("orders", version=version) for version in (1, 2)])
        first_lease = await connection.fetchval("select lease_until from outbox_cursor")

        await eventually(lambda: _later_lease(connection, first_lease))
        assert await connection.fetchval(lease_is_ours)
        assert _versions(broker) == []
        broker.away = False

        await eventually(lambda: _versions(broker) == [1, 2])


async def _later_lease(connection: Connection, than: object) -> bool:
    return bool(await connection.fetchval("select lease_until > $1 from outbox_cursor", than))


async def test_a_missing_cursor_needs_an_operator(outbox_database: Database, broker: FakeBroker) -> None:
    relay = a_relay(outbox_database.dsn, broker, ORDERS, name="unheard-of")

    with pytest.raises(errors.CursorMissing):
        await relay.run()


async def test_a_missing_topic_needs_an_operator_and_the_lease_is_returned(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    relay = a_relay(outbox_database.dsn, broker, ORDERS)
    del broker.topics["orders"]

    with pytest.raises(errors.TopicUnusable):
        await relay.run()

    assert await connection.fetchval("select owner is null and lease_until < now() from outbox_cursor")


async def test_another_database_system_needs_a_reset(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await connection.execute("update outbox_cursor set system_id = '1'")
    relay = a_relay(outbox_database.dsn, broker, ORDERS)

    for _ in range(2):
        with pytest.raises(errors.CursorNeedsReset):
            await relay.run()

    assert await connection.fetchval("select state from outbox_cursor") == "needs_reset"


async def test_a_snapshot_from_the_servers_future_needs_a_reset(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await connection.execute("update outbox_cursor set seen = '9000000000:9000000000:'")

    with pytest.raises(errors.CursorNeedsReset):
        await a_relay(outbox_database.dsn, broker, ORDERS).run()


async def test_another_timeline_of_the_same_system_is_noted_and_gone_on_from(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await connection.execute("update outbox_cursor set timeline = 7")
    async with running(a_relay(outbox_database.dsn, broker, ORDERS)):
        await commit(connection, a_message("orders", version=1))

        await eventually(lambda: _versions(broker) == [1])
    assert await connection.fetchval("select timeline from outbox_cursor") == 1


async def test_stopping_a_relay_that_stands_by_ends_it(outbox_database: Database, broker: FakeBroker) -> None:
    owner, standby = (a_relay(outbox_database.dsn, broker, ORDERS) for _ in range(2))
    async with running(owner):
        await eventually(lambda: owner.owns)
        async with running(standby) as waiting, asyncio.timeout(2):
            await waiting.stop()
    assert not standby.owns


async def test_a_setting_out_of_bounds_is_named(outbox_database: Database) -> None:
    with pytest.raises(ValueError, match=r"batch_rows_max = 0: must lie between 1 and 50000"):
        Relay(dsn=outbox_database.dsn, bootstrap_servers="", topics=[ORDERS], batch_rows_max=0)
