"""A town of its own for a scene: a migrated ledger, a Bot API, people; and parts that may be wrong ones."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import asyncpg

from chassis.postgres import Pool
from services.notification import bootstrap
from services.notification.migrations.run import upgrade
from services.notification.service.desk import Desk
from services.notification.service.ports import Messenger
from stack.databases import create_database, dsn_of, owner_of
from tests.chaos.judgement import Judgement
from tests.given import SharedPostgres
from tests.notification_fixtures import PASSWORD, NotificationDatabase, Town, settings
from tests.stand_in import StandIn

_Part = TypeVar("_Part")


def _as_it_is(part: _Part) -> _Part:
    return part


@dataclass(frozen=True, slots=True)
class TownParts:
    """What the sender is given for its messenger, and the bot for its desk."""

    messenger: Callable[[Messenger], Messenger] = _as_it_is
    desk: Callable[[Desk], Desk] = _as_it_is


@dataclass(frozen=True, slots=True)
class TownStand:
    """A town, the messenger its senders call and what becomes of the desk its bot works at."""

    town: Town
    messenger: Messenger
    desk: Callable[[Desk], Desk]

    async def deliver(self) -> None:
        """Run a sender until every row is final."""
        await self.town.deliver(messenger=self.messenger)


@dataclass(frozen=True, slots=True)
class TownScene:
    """What is played in a town."""

    play: Callable[[TownStand], Awaitable[Judgement]]
    brokers: int = 1


@asynccontextmanager
async def town_stand(admin_dsn: str, parts: TownParts) -> AsyncIterator[TownStand]:
    """Make all of it, and remove it when the block ends."""
    name, server = f"planted_{secrets.token_hex(4)}", SharedPostgres(admin_dsn)
    passwords = {"owner_password": PASSWORD, "app_password": PASSWORD, "verifier_password": PASSWORD}
    await create_database(admin_dsn, name, **passwords)
    owner_url = server.dsn(name, owner_of(name), PASSWORD)
    await asyncio.to_thread(upgrade, owner_url=owner_url, app_role=name)
    database = NotificationDatabase(
        name=name, admin_dsn=dsn_of(admin_dsn, name), app_dsn=server.dsn(name, name, PASSWORD)
    )
    with tempfile.TemporaryDirectory() as folder:
        telegram = StandIn(Path(folder))
        await asyncio.to_thread(telegram.start)
        try:
            async with _opened(database, telegram) as town, _messenger(town) as real:
                yield TownStand(town, parts.messenger(real), parts.desk)
        finally:
            telegram.kill()
            await _drop(admin_dsn, name)


@asynccontextmanager
async def _opened(database: NotificationDatabase, telegram: StandIn) -> AsyncIterator[Town]:
    pool = Pool(database.app_dsn, application_name="planted", max_size=6)
    await pool.start()
    eye = await asyncpg.connect(database.admin_dsn)
    try:
        yield Town(database=database, pool=pool, eye=eye, telegram=telegram)
    finally:
        await eye.close()
        await pool.stop()


@asynccontextmanager
async def _messenger(town: Town) -> AsyncIterator[Messenger]:
    real = bootstrap.telegram_messenger(settings(town.telegram.url))
    await real.start()
    try:
        yield real
    finally:
        await real.stop()


async def _drop(admin_dsn: str, name: str) -> None:
    admin = await asyncpg.connect(admin_dsn)
    try:
        await admin.execute(f'drop database "{name}" with (force)')
        await admin.execute(f'drop role "{name}"')
        await admin.execute(f'drop role "{owner_of(name)}"')
    finally:
        await admin.close()
