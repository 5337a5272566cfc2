"""Servers around the sender that go away and come back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from chassis.postgres import Pool
from services.notification.migrations.run import upgrade
from stack.databases import create_database
from stack.servers import Postgres
from tests.given import StartPostgres
from tests.notification_fixtures import PASSWORD, NotificationDatabase, Town, placed
from tests.notification_processes import process, sender_settings
from tests.stand_in import StandIn
from tests.waiting import eventually

pytestmark = pytest.mark.faults
NAME = "notification"


@pytest.fixture
def server(own_postgres: StartPostgres) -> Postgres:
    return own_postgres()


@pytest.fixture
def dsn(server: Postgres) -> str:
    """A migrated database in a server of this test alone."""
    passwords = {"owner_password": PASSWORD, "app_password": PASSWORD, "verifier_password": PASSWORD}
    asyncio.run(create_database(server.admin_dsn, NAME, **passwords))
    upgrade(owner_url=server.dsn(NAME, f"{NAME}_owner", PASSWORD), app_role=NAME)
    return server.dsn(NAME, NAME, PASSWORD)


@pytest.fixture
async def fragile_town(dsn: str, stand_in: StandIn) -> AsyncIterator[Town]:
    """A town whose database may crash; its eye looks anew each time."""
    pool = Pool(dsn, application_name="notification-test", max_size=2)
    await pool.start()
    eye = await asyncpg.connect(dsn)
    try:
        yield Town(database=NotificationDatabase(NAME, dsn, dsn), pool=pool, eye=eye, telegram=stand_in)
    finally:
        await eye.close()
        await pool.stop()


async def test_an_answer_is_kept_until_a_crashed_database_is_back(
    fragile_town: Town, server: Postgres, tmp_path: Path
) -> None:
    town = fragile_town
    chat = await town.link()
    town.telegram.script(chat, {"answer": "ok", "delay_seconds": 2})
    await town.plan(*placed(42))
    await town.eye.close()
    settings = sender_settings(
        town.database.app_dsn, town.telegram.url, NOTIFICATION_CALL_SECONDS="10", NOTIFICATION_LEASE_SECONDS="20"
    )

    with process("sender", tmp_path, **settings) as sender:
        await eventually(lambda: town.accepted(chat), within=20)
        server.stop(mode="immediate")
        await eventually(lambda: "sender.ledger_away" in sender.log.read_text())
        server.start()
        await eventually(lambda: all_final(town), within=20)
        assert sender.terminate() == 0

    assert await states(town) == ["superseded", "delivered"]
    assert town.accepted(chat) == [("sendMessage", "o:42:2")]


async def test_a_bot_api_that_restarts_gets_what_it_missed(town: Town, tmp_path: Path) -> None:
    own = StandIn(tmp_path / "telegram")
    own.start()
    chat = await town.link()
    await town.plan(*placed(42))

    try:
        with process("sender", tmp_path, **sender_settings(town.database.app_dsn, own.url)) as sender:
            await eventually(town.settled, within=20)
            own.kill()
            await town.plan(*placed(43))
            await eventually(lambda: tried(town, 43), within=20)
            own.start()
            await eventually(town.settled, within=20)
            assert sender.terminate() == 0
        buttons = [
            line["payload"]["reply_markup"]["inline_keyboard"][0][0]["callback_data"] for line in own.accepted(chat)
        ]
    finally:
        own.kill()

    assert [data.rpartition(":")[0] for data in buttons] == ["o:42:2:d", "o:43:2:d"]
    assert await town.states(43) == ["superseded", "delivered"]


async def tried(town: Town, order_id: int) -> bool:
    return int((await town.rows(order_id))[1]["attempts"]) >= 2


async def all_final(town: Town) -> bool:
    try:
        return set(await states(town)).isdisjoint({"planned", "calling"})
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


async def states(town: Town) -> list[str]:
    connection = await asyncpg.connect(town.database.app_dsn)
    try:
        rows = await connection.fetch("select state from notifications where order_id = 42 order by version")
        return [row["state"] for row in rows]
    finally:
        await connection.close()
