"""LOMS as the commands an operator types: real processes, told what to do by their environment alone."""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import grpc
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from events.create import create_topics
from events.topics import ORDER_EVENTS
from rpc.loms.v1 import loms_pb2 as pb
from rpc.loms.v1.loms_pb2_grpc import LomsServiceStub
from stack.databases import create_database, owner_of
from stack.ports import free_port
from tests.given import SharedKafka, SharedPostgres
from tests.loms_fixtures import PASSWORD, LomsDatabase, Platform
from tests.loms_processes import command_of_loms, readiness
from tests.waiting import eventually


async def test_the_api_serves_until_it_is_told_to_stop(loms_database: LomsDatabase) -> None:
    grpc_address, health = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    settings = _database_settings(loms_database) | {"LOMS_GRPC_ADDRESS": grpc_address, "LOMS_HEALTH_ADDRESS": health}

    async with command_of_loms("api", settings) as api:
        ready = await eventually(lambda: readiness(health))
        async with grpc.aio.insecure_channel(grpc_address) as channel:
            stock = await LomsServiceStub(channel).StocksInfo(pb.StocksInfoRequest(sku=1002))
        api.terminate()
        exit_code = await api.wait()

    assert set(ready["checks"]) == {"postgres", "grpc"}
    assert stock.count == 180
    assert exit_code == 0


async def test_the_relay_carries_what_was_committed_to_kafka(platform: Platform, kafka: SharedKafka) -> None:
    await create_topics(kafka.bootstrap, replication=1)
    order_id = await platform.place((1002, 2), (1003, 1), user_id=42)
    await platform.orders.pay(order_id)

    async with command_of_loms("relay", _relay_settings(platform.database, kafka.bootstrap)) as relay:
        records = await _records_of(platform, kafka.bootstrap, expected=3)
        relay.terminate()
        exit_code = await relay.wait()

    assert [record.key for record in records] == [str(order_id).encode()] * 3
    assert len({record.partition for record in records}) == 1
    assert [_header(record, "ce_type") for record in records] == ["order.new", "order.awaiting_payment", "order.paid"]
    assert [_header(record, "ce_sequence") for record in records] == ["1", "2", "3"]
    assert {(_header(record, "ce_userid"), _header(record, "ce_itemcount")) for record in records} == {("42", "3")}
    assert {_header(record, "ce_source") for record in records} == {"loms"}
    assert [record.value for record in records] == await _payloads(platform, order_id)
    assert exit_code == 0


async def test_a_relay_that_no_restart_can_help_exits_with_78(loms_database: LomsDatabase, kafka: SharedKafka) -> None:
    await create_topics(kafka.bootstrap, replication=1)
    owner = await asyncpg.connect(loms_database.owner_dsn)
    await owner.execute("delete from outbox_cursor")
    await owner.close()

    async with command_of_loms("relay", _relay_settings(loms_database, kafka.bootstrap)) as relay:
        output, _ = await relay.communicate()

    assert relay.returncode == 78
    assert b"no cursor named 'kafka' in outbox_cursor" in output


async def test_migrate_and_seed_make_a_database_ready_however_often_and_many_run(postgres: SharedPostgres) -> None:
    name = f"loms_{free_port()}"
    await create_database(
        postgres.admin_dsn, name, owner_password=PASSWORD, app_password=PASSWORD, verifier_password=PASSWORD
    )
    settings = {
        "LOMS_OWNER_URL": postgres.dsn(name, owner_of(name), PASSWORD),
        "LOMS_DATABASE_URL": postgres.dsn(name, name, PASSWORD),
    }

    at_once = await asyncio.gather(_run("migrate", settings), _run("migrate", settings))
    after = [await _run(command, settings) for command in ("seed", "seed")]

    application = await asyncpg.connect(settings["LOMS_DATABASE_URL"])
    stocks = await application.fetchval("select count(*) from stocks")
    await application.close()
    assert [*at_once, *after] == [0, 0, 0, 0]
    assert stocks == 21


async def test_a_missing_setting_is_named_with_exit_code_2() -> None:
    async with command_of_loms("api", {}) as api:
        output, _ = await api.communicate()

    assert api.returncode == 2
    assert b"LOMS_DATABASE_URL is not set" in output
    assert b"LOMS_DIRECT_URL is not set" in output


@pytest.mark.parametrize("command", ["api", "migrate"])
async def test_a_wrong_address_shows_no_password(command: str) -> None:
    wrong = {"LOMS_OWNER_URL": "", "LOMS_DATABASE_URL": "", "LOMS_DIRECT_URL": "", "LOMS_POOL_SIZE": "0"}

    async with command_of_loms(
        command, {**wrong, "LOMS_DATABASE_URL": "postgresql://loms:hunter2@127.0.0.1/loms"}
    ) as process:
        output, _ = await process.communicate()

    assert process.returncode == 2
    assert b"hunter2" not in output


def _database_settings(database: LomsDatabase) -> dict[str, str]:
    return {"LOMS_DATABASE_URL": database.app_dsn, "LOMS_DIRECT_URL": database.app_dsn}


def _relay_settings(database: LomsDatabase, bootstrap: str) -> dict[str, str]:
    return {
        "LOMS_OWNER_URL": database.owner_dsn,
        "LOMS_KAFKA_BOOTSTRAP": bootstrap,
        "LOMS_HEALTH_ADDRESS": f"127.0.0.1:{free_port()}",
    }


async def _run(command: str, settings: Mapping[str, str]) -> int | None:
    async with command_of_loms(command, settings) as process:
        await process.communicate()
    return process.returncode


async def _records_of(platform: Platform, bootstrap: str, *, expected: int) -> list[Any]:
    """The records of this database's events, in the order of the log."""
    rows = await platform.eye.fetch("select event_id from outbox")
    ours = {str(row["event_id"]) for row in rows}
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(ORDER_EVENTS, number) for number in (0, 1)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        found: list[Any] = []
        while len(found) < expected:
            record = await asyncio.wait_for(consumer.getone(), timeout=20)
            if _header(record, "ce_id") in ours:
                found.append(record)
        return found
    finally:
        await consumer.stop()


async def _payloads(platform: Platform, order_id: int) -> list[bytes]:
    rows = await platform.eye.fetch("select payload from outbox where key = $1 order by seq", str(order_id))
    return [row["payload"] for row in rows]


def _header(record: Any, name: str) -> str:
    return str(dict(record.headers)[name].decode())
