"""More than one read may bring: frozen, walked in order, resumed by whoever comes next."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import REGISTRY

from outbox import TopicRule
from outbox.operations.pause import pause, resume
from outbox.publisher import Publisher, Stamp
from outbox.relay import Relay
from outbox.rows import Row
from outbox.testing import FakeBroker, FakePublisher
from tests.given import Database
from tests.outbox_given import Connection, a_message, a_relay, commit, connected, running
from tests.waiting import eventually

ORDERS = TopicRule("orders", versioned=True)
SMALL: dict[str, Any] = {"batch_rows_max": 50}

FILL = """
insert into outbox (event_id, topic, key, version, type, payload)
select gen_random_uuid(), 'orders', key::text, version, 'order.paid', ''
from generate_series($1::bigint, $2) as version, generate_series(1, 10) as key
order by version
"""


@pytest.fixture
def broker() -> FakeBroker:
    made = FakeBroker()
    made.create_topic("orders", partitions=2)
    return made


def _versions(broker: FakeBroker, key: int) -> list[int]:
    return [int(record.headers["ce_sequence"]) for record in broker.records("orders") if record.key == str(key)]


def _first_occurrences(broker: FakeBroker, key: int) -> list[int]:
    return list(dict.fromkeys(_versions(broker, key)))


async def test_a_backlog_is_drained_once_and_in_order(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await connection.execute(FILL, 1, 100)

    async with running(a_relay(outbox_database.dsn, broker, ORDERS, **SMALL)):
        await eventually(lambda: len(broker.records("orders")) == 1_000)
        await commit(connection, a_message("orders", key="1", version=101))
        await eventually(lambda: _versions(broker, 1)[-1] == 101)

    for key in range(2, 11):
        assert _versions(broker, key) == list(range(1, 101))
    assert await connection.fetchval("select target is null and walked_seq is null from outbox_cursor")


async def test_what_is_written_during_the_walk_follows_it(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await connection.execute(FILL, 1, 60)
    async with connected(outbox_database.dsn) as slow:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute(FILL, 1_001, 1_001)
        broker.acknowledging.clear()
        async with running(a_relay(outbox_database.dsn, broker, ORDERS, **SMALL)):
            await eventually(lambda: len(broker.records("orders")) > 0)
            await connection.execute(FILL, 61, 70)
            await transaction.commit()
            broker.acknowledging.set()
            await eventually(lambda: len(broker.records("orders")) == 710)

    for key in range(1, 11):
        assert sorted(_versions(broker, key)) == [*range(1, 71), 1_001]
        assert [version for version in _versions(broker, key) if version < 1_000] == list(range(1, 71))


async def test_stretches_without_rows_are_crossed(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    for version in range(1, 8):
        await connection.execute("select setval('outbox_seq', $1)", 10 ** (version + 1))
        await connection.execute(FILL, version, version)

    async with running(a_relay(outbox_database.dsn, broker, ORDERS, **SMALL)):
        await eventually(lambda: len(broker.records("orders")) == 70)

    for key in range(1, 11):
        assert _versions(broker, key) == list(range(1, 8))


class DyingPublisher:
    """Publishes so many times, then ends whoever publishes, as a kill would: nothing after the acknowledgement runs."""

    def __init__(self, inner: Publisher, *, publishes: int, acknowledge_last: bool) -> None:
        self._inner = inner
        self._left = publishes
        self._acknowledge_last = acknowledge_last

    async def open(self) -> None:
        await self._inner.open()

    async def publish(self, rows: Sequence[Row], stamp: Stamp) -> None:
        self._left -= 1
        if self._left > 0:
            await self._inner.publish(rows, stamp)
            return
        await self._inner.publish(rows if self._acknowledge_last else rows[: len(rows) // 2], stamp)
        raise KilledError

    async def discard(self) -> None:
        await self._inner.discard()


class KilledError(BaseException):
    """Nobody catches this."""


def _dying(database: Database, broker: FakeBroker, *, publishes: int, acknowledge_last: bool) -> Relay:
    publisher = DyingPublisher(FakePublisher(broker, [ORDERS]), publishes=publishes, acknowledge_last=acknowledge_last)
    return Relay(dsn=database.dsn, bootstrap_servers="", topics=[ORDERS], publisher=publisher, **SMALL)


@pytest.mark.parametrize("acknowledge_last", [False, True], ids=["mid-batch", "cursor not stored"])
async def test_a_walk_cut_short_is_resumed_by_the_next_owner(
    outbox_database: Database, connection: Connection, broker: FakeBroker, *, acknowledge_last: bool
) -> None:
    await connection.execute(FILL, 1, 100)
    with pytest.raises(KilledError):
        await _dying(outbox_database, broker, publishes=6, acknowledge_last=acknowledge_last).run()
    assert await connection.fetchval("select target is not null from outbox_cursor")

    async with running(a_relay(outbox_database.dsn, broker, ORDERS, **SMALL)):
        await eventually(lambda: all(_first_occurrences(broker, key)[-1:] == [100] for key in range(1, 11)))

    for key in range(1, 11):
        assert _first_occurrences(broker, key) == list(range(1, 101))


@pytest.mark.parametrize("acknowledge_last", [False, True], ids=["mid-batch", "cursor not stored"])
async def test_a_batch_cut_short_repeats_and_skips_nothing(
    outbox_database: Database, connection: Connection, broker: FakeBroker, *, acknowledge_last: bool
) -> None:
    await commit(connection, *[a_message("orders", key="1", version=version) for version in range(1, 9)])
    with pytest.raises(KilledError):
        await _dying(outbox_database, broker, publishes=1, acknowledge_last=acknowledge_last).run()
    sent_before = _versions(broker, 1)

    async with running(a_relay(outbox_database.dsn, broker, ORDERS)):
        await eventually(lambda: _versions(broker, 1)[-1:] == [8] and len(_versions(broker, 1)) > len(sent_before))

    assert sent_before == list(range(1, 9 if acknowledge_last else 5))
    assert _versions(broker, 1) == [*sent_before, *range(1, 9)]


async def test_a_held_snapshot_neither_slows_the_reads_nor_leaves_dead_rows(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    async with connected(outbox_database.dsn) as holder:
        await holder.execute("begin isolation level repeatable read")
        await holder.execute("select count(*) from outbox")
        async with running(a_relay(outbox_database.dsn, broker, ORDERS)):
            for version in range(1, 101):
                await connection.execute(FILL, version, version)
            await eventually(lambda: len(broker.records("orders")) == 1_000)
        await holder.execute("rollback")
    await connection.execute("select pg_stat_force_next_flush()")

    dead = "select sum(n_dead_tup) from pg_stat_user_tables where relname ~ '^outbox_[0-9]+$'"
    assert await connection.fetchval(dead) == 0


async def test_a_stop_in_the_middle_of_a_walk_keeps_the_way(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await connection.execute(FILL, 1, 100)
    broker.acknowledging.clear()
    relay = a_relay(outbox_database.dsn, broker, ORDERS, **SMALL)
    task = asyncio.create_task(relay.run())
    await eventually(lambda: len(broker.records("orders")) > 0)
    await relay.stop()
    broker.acknowledging.set()
    await task
    walked = await connection.fetchval("select walked_seq from outbox_cursor")
    sent_before = len(broker.records("orders"))

    async with running(a_relay(outbox_database.dsn, broker, ORDERS, **SMALL)):
        await eventually(lambda: len(broker.records("orders")) == 1_000)

    assert (walked, sent_before) == (50, 50)


async def test_a_broker_lost_in_the_middle_of_a_walk_costs_repeats_at_most(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await connection.execute(FILL, 1, 100)
    broker.acknowledging.clear()
    async with running(a_relay(outbox_database.dsn, broker, ORDERS, backoff_seconds_max=0.1, **SMALL)):
        await eventually(lambda: len(broker.records("orders")) > 0)
        broker.away = True
        broker.acknowledging.set()
        await eventually(lambda: REGISTRY.get_sample_value("outbox_oldest_unsent_seconds"))
        broker.away = False

        await eventually(lambda: all(_first_occurrences(broker, key)[-1:] == [100] for key in range(1, 11)))

    for key in range(1, 11):
        assert _first_occurrences(broker, key) == list(range(1, 101))


async def test_a_walk_paused_by_an_operator_goes_on_when_resumed(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await connection.execute(FILL, 1, 100)
    broker.acknowledging.clear()
    async with running(a_relay(outbox_database.dsn, broker, ORDERS, **SMALL)):
        await eventually(lambda: len(broker.records("orders")) > 0)
        await pause(connection, reason="a test")
        await eventually(lambda: REGISTRY.get_sample_value("outbox_paused"))
        broker.acknowledging.set()
        await eventually(lambda: _way_is_stored(connection))
        sent_while_paused = len(broker.records("orders"))
        await resume(connection, reason="a test")

        await eventually(lambda: len(broker.records("orders")) == 1_000)

    assert sent_while_paused == 50


async def _way_is_stored(connection: Connection) -> bool:
    return bool(await connection.fetchval("select walked_seq >= 50 from outbox_cursor"))


async def test_a_broker_that_is_away_at_the_start_is_waited_for(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    broker.away = True
    relay = a_relay(outbox_database.dsn, broker, ORDERS, backoff_seconds_max=0.1)
    async with running(relay):
        await eventually(lambda: relay.owns)
        await commit(connection, a_message("orders", key="1", version=1))
        broker.away = False

        await eventually(lambda: _versions(broker, 1) == [1])
