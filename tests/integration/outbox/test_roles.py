"""The relay needs no superuser: the tables' owner does everything."""

import contextlib
from datetime import timedelta

import asyncpg

from outbox import TopicRule
from outbox.housekeeping import Housekeeper, connect
from outbox.operations.check import check
from outbox.operations.status import status
from outbox.testing import FakeBroker
from tests.given import Database
from tests.outbox_given import WRITER_ROLE, a_message, a_relay, commit, connected, install, running
from tests.waiting import eventually

ORDERS = TopicRule("orders", versioned=True)
OWNER = "outbox_owner"


async def test_an_ordinary_owner_relays_and_keeps_house(database: Database) -> None:
    async with connected(database.dsn) as superuser:
        with contextlib.suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            await superuser.execute(f"create role {OWNER} login password 'owner'")
        await superuser.execute(f"grant create on schema public to {OWNER}")
    await install(database.dsn, owner_role=OWNER, partition_width=200)
    owner = database.dsn_for(OWNER, "owner")
    broker = FakeBroker()

    async with running(a_relay(owner, broker, ORDERS, flush_before_publish=True)) as relay:
        await eventually(lambda: relay.relay.owns)
        async with connected(database.dsn_for(WRITER_ROLE, "writer")) as writer:
            await commit(writer, a_message("orders"))
        await eventually(lambda: len(broker.records("orders")) == 1)
        async with connected(owner) as connection:
            now = await status(connection)
            assert now.owner == "relay-0"
            errors = [found for found in await check(connection, writer_role=WRITER_ROLE) if found.severity == "error"]
            assert errors == []

    connection = await connect(owner, "test")
    try:
        before = await Housekeeper(connection, timedelta(hours=72)).layout()
        while int(await connection.fetchval("select pg_current_xact_id()::text")) < before.end - 6 * 200:
            pass
        after = await Housekeeper(connection, timedelta(hours=72)).run()
    finally:
        await connection.close()
    assert after.end > before.end
