"""The notification service over a real database and a real Bot API; a conftest imports the fixtures from here."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from chassis.config import load
from chassis.postgres import Pool
from services.notification import bootstrap
from services.notification.domain.change import Status, StatusChange
from services.notification.domain.notification import State
from services.notification.domain.settlement import RetryPolicy
from services.notification.repository.ledger import Acquire, PostgresLedger
from services.notification.repository.planning import PostgresPlanning
from services.notification.service.delivery import Delivery
from services.notification.service.notifications import Notifications
from services.notification.service.ports import Limits, Messenger
from services.notification.settings import SchemaSettings, SenderSettings
from services.notification.telegram.limits import Unlimited
from stack.databases import create_database, owner_of
from tests.given import SharedPostgres
from tests.stand_in import TOKEN, StandIn
from tests.waiting import eventually

PASSWORD = "notification"
MOMENT = datetime(2026, 11, 21, 14, 3, tzinfo=UTC)
RETRY = RetryPolicy(first=timedelta(seconds=1), longest=timedelta(seconds=1), lost_edits_max=2)
_chats = count(7_000_001)


@dataclass(frozen=True, slots=True)
class NotificationDatabase:
    """A migrated database of one test; the application role may read and write rows, no more."""

    name: str
    admin_dsn: str
    app_dsn: str


def a_change(order_id: int, version: int, status: Status, *, user_id: int = 7, **facts: Any) -> StatusChange:
    """A status change as the consumer reads it."""
    return StatusChange(
        order_id=order_id,
        version=version,
        user_id=user_id,
        status=status,
        **{"items": 3, "moment": MOMENT, "event_id": uuid4(), "traceparent": None, **facts},
    )


def placed(order_id: int, *, user_id: int = 7) -> list[StatusChange]:
    """The two changes of every order that was placed."""
    return [
        a_change(order_id, 1, Status.NEW, user_id=user_id),
        a_change(order_id, 2, Status.AWAITING_PAYMENT, user_id=user_id),
    ]


def paid(order_id: int, *, user_id: int = 7) -> StatusChange:
    """The change that follows a placed order's two."""
    return a_change(order_id, 3, Status.PAID, user_id=user_id)


def a_chat() -> int:
    """A chat no other test uses."""
    return next(_chats)


def settings(telegram_url: str, **others: Any) -> SenderSettings:
    """Quick settings: short leases and pauses."""
    quick = {"call_seconds": 1.0, "lease_seconds": 2.0, "retry_seconds_min": 0.05, "retry_seconds_max": 0.2}
    facts = {"database_url": "postgresql://", "telegram_token": TOKEN, "telegram_url": telegram_url, **quick, **others}
    return SenderSettings(**facts)


@dataclass(frozen=True, slots=True)
class Town:
    """People linked to chats, orders that change, senders that deliver, and an eye that looks past them."""

    database: NotificationDatabase
    pool: Pool
    eye: "asyncpg.Connection[Any]"
    telegram: StandIn

    async def link(self, user_id: int = 7, chat_id: int | None = None, *, move: bool = False) -> int:
        """Link a user; the chat."""
        chat = a_chat() if chat_id is None else chat_id
        await bootstrap.subscriptions(self.pool.acquire).link(user_id, chat, move=move)
        return chat

    async def plan(self, *changes: StatusChange) -> dict[State, int]:
        """Plan as the consumer does, in one transaction."""
        connection = await asyncpg.connect(self.database.app_dsn)
        try:
            async with connection.transaction():
                return await Notifications().plan(changes, PostgresPlanning(connection))
        finally:
            await connection.close()

    def delivery(self) -> Delivery:
        """The use cases of a sender that calls nowhere and whose leases do not end by themselves."""
        return Delivery(
            ledger=PostgresLedger(acquire=self.pool.acquire, owner=uuid4()),
            messenger=bootstrap.telegram_messenger(settings("http://127.0.0.1:9")),
            composer=bootstrap.composer(TOKEN),
            limits=Unlimited(),
            retry=RETRY,
            lease=timedelta(seconds=60),
        )

    @asynccontextmanager
    async def sender(
        self,
        messenger: Messenger | None = None,
        limits: Limits | None = None,
        acquire: Acquire | None = None,
        **others: Any,
    ) -> "AsyncIterator[asyncio.Task[None]]":
        """A running sender, stopped gracefully at the end of the block, which raises what it ended with."""
        chosen = settings(self.telegram.url, **others)
        channel = bootstrap.telegram_messenger(chosen)
        await channel.start()
        loop = bootstrap.delivery_loop(
            acquire=acquire or self.pool.acquire, messenger=messenger or channel, settings=chosen, limits=limits
        )
        running = asyncio.create_task(loop.run())
        try:
            yield running
        finally:
            loop.stop()
            await asyncio.wait([running])
            await channel.stop()
        running.result()

    async def deliver(self, **others: Any) -> None:
        """Run a sender until every row is final."""
        async with self.sender(**others) as running:
            await eventually(lambda: running.done() or self.settled(), within=20)

    async def leases_end(self) -> None:
        """Let the time come at which every chat may be claimed again."""
        await self.eye.execute("update chat_lanes set due_at = clock_timestamp()")

    async def settled(self) -> bool:
        """Say whether every row is final."""
        return int(await self.eye.fetchval("select count(*) from notifications where finished_at is null")) == 0

    async def rows(self, order_id: int) -> list[dict[str, Any]]:
        """The ledger's rows of an order."""
        found = await self.eye.fetch("select * from notifications where order_id = $1 order by version", order_id)
        return [dict(row) for row in found]

    async def states(self, order_id: int) -> list[str]:
        """The states of an order's rows, by version."""
        return [row["state"] for row in await self.rows(order_id)]

    async def card(self, order_id: int) -> dict[str, Any]:
        """The card of an order."""
        row = await self.eye.fetchrow("select * from order_cards where order_id = $1", order_id)
        assert row is not None
        return dict(row)

    def accepted(self, chat_id: int | None = None) -> list[tuple[str, str]]:
        """The cards and alerts the Bot API accepted for a chat: method, and the order and version they name."""
        named = [(line["method"], _named(line)) for line in self.telegram.accepted(chat_id)]
        return [
            (method, name) for method, name in named if method != "editMessageReplyMarkup" and name.startswith("o:")
        ]


def _named(line: dict[str, Any]) -> str:
    """Conversation has no buttons, or buttons that name no order's version."""
    rows = line["payload"].get("reply_markup", {}).get("inline_keyboard") or [[{"callback_data": ""}]]
    return ":".join(rows[0][0]["callback_data"].split(":")[:3])


@pytest.fixture(scope="session")
def notification_template(postgres: SharedPostgres) -> Iterator[str]:
    """The database that every test's is a copy of, made and migrated by the real commands' code."""
    name = f"notification_{secrets.token_hex(4)}"
    asyncio.run(
        create_database(
            postgres.admin_dsn, name, owner_password=PASSWORD, app_password=PASSWORD, verifier_password=PASSWORD
        )
    )
    urls = {"OWNER": postgres.dsn(name, owner_of(name), PASSWORD), "DATABASE": postgres.dsn(name, name, PASSWORD)}
    bootstrap.migrate(load(SchemaSettings, {f"NOTIFICATION_{which}_URL": url for which, url in urls.items()}))
    yield name
    asyncio.run(_drop(postgres, name))


@pytest.fixture
async def notification_database(
    postgres: SharedPostgres, notification_template: str
) -> AsyncIterator[NotificationDatabase]:
    name = f"{notification_template}_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(postgres.admin_dsn)
    try:
        owner = owner_of(notification_template)
        await admin.execute(f'create database "{name}" template "{notification_template}" owner "{owner}"')
        yield NotificationDatabase(
            name=name,
            admin_dsn=urlunsplit(urlsplit(postgres.admin_dsn)._replace(path=f"/{name}")),
            app_dsn=postgres.dsn(name, notification_template, PASSWORD),
        )
        await admin.execute(f'drop database "{name}" with (force)')
    finally:
        await admin.close()


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One Bot API for all tests; each uses chats of its own."""
    server = StandIn(Path(tmp_path_factory.mktemp("telegram")))
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def town(notification_database: NotificationDatabase, stand_in: StandIn) -> AsyncIterator[Town]:
    pool = Pool(notification_database.app_dsn, application_name="notification-test", max_size=6)
    eye = await asyncpg.connect(notification_database.admin_dsn)
    await pool.start()
    try:
        yield Town(database=notification_database, pool=pool, eye=eye, telegram=stand_in)
    finally:
        await eye.close()
        await pool.stop()


async def _drop(postgres: SharedPostgres, name: str) -> None:
    admin = await asyncpg.connect(postgres.admin_dsn)
    try:
        await admin.execute(f'drop database "{name}" with (force)')
        await admin.execute(f'drop role "{name}"')
        await admin.execute(f'drop role "{owner_of(name)}"')
    finally:
        await admin.close()
