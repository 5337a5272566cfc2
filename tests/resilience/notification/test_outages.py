"""Servers around the sender that go away and come back."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from chassis.postgres import Pool
from services.notification.migrations.run import upgrade
from stack.databases import create_database
from stack.ports import free_port
from stack.servers import Postgres, Valkey
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


async def test_a_valkey_that_dies_slows_nobody_down_and_is_used_again_when_it_is_back(
    town: Town, server_folder: Path, tmp_path: Path
) -> None:
    valkey = Valkey(server_folder / "valkey", free_port(), "s3cret", dies_with_parent=True)
    valkey.start()
    settings = sender_settings(town.database.app_dsn, town.telegram.url, NOTIFICATION_LIMITS_URL=valkey.url)
    people = {user_id: await town.link(user_id) for user_id in range(1, 31)}

    try:
        with process("sender", tmp_path, **settings) as sender:
            for strike in (lambda: None, valkey.kill, valkey.start, valkey.freeze, valkey.thaw):
                await asyncio.to_thread(strike)
                order_ids = await next_orders(town, people)
                await eventually(town.settled, within=20)
                for order_id in order_ids:
                    assert (await town.states(order_id))[-1] == "delivered"
            await eventually(lambda: keepers_told_in(sender.log)[-1] == "limits.shared")
            assert sender.terminate() == 0
        assert keepers_told_in(sender.log)[:2] == ["limits.local", "limits.shared"]
        assert keepers_told_in(sender.log).count("limits.local") >= 2
    finally:
        valkey.kill()


def keepers_told_in(log: Path) -> list[str]:
    """Who kept the limits, as the sender's log tells it."""
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    return [event for event in events if event.startswith("limits.")]


async def next_orders(town: Town, people: dict[int, int]) -> list[int]:
    """Place an order for everybody."""
    first = 1 + int(await town.eye.fetchval("select coalesce(max(order_id), 0) from notifications"))
    orders = dict(enumerate(people, first))
    await town.plan(*(change for order_id, user_id in orders.items() for change in placed(order_id, user_id=user_id)))
    return list(orders)


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
