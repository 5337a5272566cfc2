"""Servers and relays die and freeze; nothing is lost, no first occurrence overtakes another."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from outbox import Relay, TopicRule
from outbox.testing import FakeBroker
from tests.given import Database, MakeTopic, SharedKafka, StartKafka, StartPostgres
from tests.outbox_given import (
    Connection,
    a_message,
    a_relay,
    commit,
    connected,
    create_topic,
    install,
    read_topic,
    running,
    versions_of,
)
from tests.planted.reader_mistakes import Memory, RemembersThroughCrashes
from tests.waiting import eventually

pytestmark = pytest.mark.faults

ORDERS = TopicRule("orders", versioned=True)
ROUNDS_MAX = 8
PASSED = "select bool_and(pg_visible_in_snapshot(xid, seen)) from outbox, outbox_cursor"


def _sent(broker: FakeBroker) -> list[int]:
    return [int(record.headers["ce_sequence"]) for record in broker.records("orders")]


def _last_is(broker: FakeBroker, version: int) -> bool:
    return _sent(broker)[-1:] == [version]


async def _use_up_transaction_ids(dsn: str) -> int:
    """200 transactions that leave nothing behind; returns the end of the snapshot after them."""
    async with connected(dsn) as connection:
        for _ in range(200):
            await connection.execute("begin; select pg_current_xact_id(); rollback")
        return int(await connection.fetchval("select pg_snapshot_xmax(pg_current_snapshot())::text"))


async def test_transaction_ids_handed_out_again_after_a_crash_hide_no_event(own_postgres: StartPostgres) -> None:
    """A snapshot in memory outlives the crash; stored afterwards it would call the new event seen."""
    server = own_postgres()
    await install(server.admin_dsn)
    broker = FakeBroker()
    reissued = False
    async with running(a_relay(server.admin_dsn, broker, ORDERS, backoff_seconds_max=0.1)):
        for version in range(1, ROUNDS_MAX + 1):
            ended_at = await _use_up_transaction_ids(server.admin_dsn)
            await asyncio.to_thread(server.stop, "immediate")
            await asyncio.to_thread(server.start)

            async with connected(server.admin_dsn) as connection:
                await commit(connection, a_message("orders", version=version))
                xid = int(await connection.fetchval("select max(xid::text::bigint) from outbox"))

            await eventually(partial(_last_is, broker, version))
            reissued |= xid < ended_at
            if reissued:
                break
    assert reissued, "no transaction id was handed out twice: the crash left no trace"
    assert list(dict.fromkeys(_sent(broker))) == list(range(1, version + 1))


async def test_a_reader_that_remembers_through_a_crash_is_caught_losing_the_event(own_postgres: StartPostgres) -> None:
    server, memory, broker = own_postgres(), Memory(), FakeBroker()
    await install(server.admin_dsn)
    sessions = partial(RemembersThroughCrashes.with_memory, memory)
    async with running(a_relay(server.admin_dsn, broker, ORDERS, sessions=sessions)):
        await eventually(lambda: memory.read_up_to)
        async with connected(server.admin_dsn) as connection:
            await connection.execute("checkpoint")  # a lease that the crash takes back fences even this reader
        for version in range(1, ROUNDS_MAX + 1):
            memory.may.clear()
            ended_at = await _use_up_transaction_ids(server.admin_dsn)
            await eventually(partial(_has_read, memory, ended_at), every=0.005)
            await asyncio.to_thread(server.stop, "immediate")
            await asyncio.to_thread(server.start)
            async with connected(server.admin_dsn) as connection:
                await commit(connection, a_message("orders", version=version))
                xid = int(await connection.fetchval("select max(xid::text::bigint) from outbox"))
                memory.may.set()
                await eventually(partial(connection.fetchval, PASSED))
            if xid < ended_at:
                break
    assert version not in _sent(broker)


def _has_read(memory: Memory, end: int) -> bool:
    return memory.read_up_to >= end


async def test_a_killed_postgres_is_waited_out(own_postgres: StartPostgres) -> None:
    server = own_postgres()
    await install(server.admin_dsn)
    broker = FakeBroker()
    relay = a_relay(server.admin_dsn, broker, ORDERS, backoff_seconds_max=0.1)
    async with running(relay):
        async with connected(server.admin_dsn) as connection:
            await commit(connection, a_message("orders", version=1))
        await eventually(lambda: _sent(broker) == [1])
        await asyncio.to_thread(server.kill)
        await eventually(lambda: not relay.owns)
        await asyncio.to_thread(server.start)
        async with connected(server.admin_dsn) as connection:
            await commit(connection, a_message("orders", version=2))

        await eventually(lambda: _sent(broker)[-1] == 2)
    assert list(dict.fromkeys(_sent(broker))) == [1, 2]


async def test_a_killed_broker_is_waited_out(outbox_database: Database, own_kafka: StartKafka) -> None:
    kafka = await asyncio.to_thread(own_kafka)
    await create_topic(kafka.bootstrap, "orders")
    relay = Relay(
        dsn=outbox_database.dsn,
        bootstrap_servers=kafka.bootstrap,
        topics=[ORDERS],
        publish_seconds_max=1.0,
        backoff_seconds_max=0.2,
    )
    async with running(relay), connected(outbox_database.dsn) as connection:
        await commit(connection, a_message("orders", version=1))
        await read_topic(kafka.bootstrap, "orders", until=lambda found: len(found) >= 1)
        await asyncio.to_thread(kafka.kill_broker, 1)
        await commit(connection, *[a_message("orders", version=version) for version in (2, 3)])
        await asyncio.to_thread(kafka.start_broker, 1)
        await commit(connection, a_message("orders", version=4))

        records = await read_topic(kafka.bootstrap, "orders", until=lambda found: 4 in versions_of(found, "42"))
    assert list(dict.fromkeys(versions_of(records, "42"))) == [1, 2, 3, 4]


async def test_a_frozen_relay_that_wakes_after_its_lease_repeats_at_most(
    outbox_database: Database, kafka: SharedKafka, topic: MakeTopic
) -> None:
    orders = await topic("orders")
    arguments = ["--dsn", outbox_database.dsn, "--bootstrap", kafka.bootstrap, "--topic", f"{orders}:versioned"]
    async with (
        _relay_process(*arguments, "--instance", "frozen") as frozen,
        connected(outbox_database.dsn) as connection,
    ):
        await commit(connection, a_message(orders, version=1))
        await read_topic(kafka.bootstrap, orders, until=lambda found: len(found) >= 1)
        frozen.send_signal(signal.SIGSTOP)
        await commit(connection, a_message(orders, version=2))
        async with _relay_process(*arguments, "--instance", "heir"):
            await read_topic(kafka.bootstrap, orders, until=lambda found: 2 in versions_of(found, "42"))
            frozen.send_signal(signal.SIGCONT)
            await eventually(lambda: _stands_by(connection, "frozen"))
            await commit(connection, a_message(orders, version=3))
            records = await read_topic(kafka.bootstrap, orders, until=lambda found: 3 in versions_of(found, "42"))

    assert list(dict.fromkeys(versions_of(records, "42"))) == [1, 2, 3]


async def test_a_killed_relay_is_succeeded_within_four_seconds(
    outbox_database: Database, kafka: SharedKafka, topic: MakeTopic
) -> None:
    orders = await topic("orders")
    arguments = ["--dsn", outbox_database.dsn, "--bootstrap", kafka.bootstrap, "--topic", f"{orders}:versioned"]
    standby = Relay(
        dsn=outbox_database.dsn, bootstrap_servers=kafka.bootstrap, topics=[TopicRule(orders, versioned=True)]
    )
    async with connected(outbox_database.dsn) as connection, _relay_process(*arguments) as doomed:
        await commit(connection, a_message(orders, version=1))
        await read_topic(kafka.bootstrap, orders, until=lambda found: len(found) >= 1)
        async with running(standby):
            doomed.kill()
            await commit(connection, a_message(orders, version=2))

            await eventually(lambda: standby.owns, within=4.0)
            records = await read_topic(kafka.bootstrap, orders, until=lambda found: 2 in versions_of(found, "42"))
    assert list(dict.fromkeys(versions_of(records, "42"))) == [1, 2]


@contextlib.asynccontextmanager
async def _relay_process(*arguments: str) -> AsyncIterator["asyncio.subprocess.Process"]:
    """`python -m outbox relay` for the length of a block; frozen or not, it is gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "outbox", "relay", *arguments, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _stands_by(connection: Connection, instance: str) -> Any:
    return await connection.fetchval(
        "select exists (select from pg_stat_activity where application_name = $1)", f"outbox-relay {instance} standby"
    )


async def test_nothing_leaves_before_a_synchronous_standby_has_it(own_postgres: StartPostgres) -> None:
    """A row may be visible without its standby: its writer's wait was cancelled, or it did not wait at all."""
    server = await asyncio.to_thread(own_postgres, extra_settings={"synchronous_commit": "local"})
    await install(server.admin_dsn)
    broker = FakeBroker()
    relay = a_relay(server.admin_dsn, broker, ORDERS, backoff_seconds_max=0.1)
    async with connected(server.admin_dsn) as connection:
        await connection.execute("alter system set synchronous_standby_names = 'nobody'")
        await connection.execute("select pg_reload_conf()")
        await eventually(lambda: _waits_for_standbys(server.admin_dsn))
        async with running(relay):
            await commit(connection, a_message("orders", version=1))
            await eventually(lambda: _a_flush_waits(connection))
            assert _sent(broker) == []

            await connection.execute("alter system reset synchronous_standby_names")
            await connection.execute("select pg_reload_conf()")

            await eventually(lambda: _sent(broker) == [1], within=20)


async def _waits_for_standbys(dsn: str) -> bool:
    async with connected(dsn) as fresh:
        return bool(await fresh.fetchval("select current_setting('synchronous_standby_names') = 'nobody'"))


async def _a_flush_waits(connection: Connection) -> bool:
    return bool(
        await connection.fetchval(
            "select exists (select from pg_stat_activity"
            " where application_name like 'outbox-relay%' and wait_event = 'SyncRep')"
        )
    )
