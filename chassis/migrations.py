"""A service's migrations: Alembic over one asyncpg connection, in one transaction, one run at a time.

A service keeps its steps in `migrations/versions`; its `env.py` calls `migrate`, its `run.py` calls `upgrade`.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_CONNECT_SECONDS_MAX = 10.0
# Two replicas that start together must not both migrate: the second waits, then finds nothing to do.
_HOLD = text("select pg_advisory_xact_lock(hashtextextended(:service || ' migrations', 0))")


def upgrade(folder: Path, *, owner_url: str, app_role: str) -> None:
    """Run every missing migration of the folder as the owner; `app_role` is granted what the application needs.

    Running it again changes nothing. Must be called outside an event loop.
    """
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["url"] = make_url(owner_url).set(drivername="postgresql+asyncpg")
    config.attributes["app_role"] = app_role
    command.upgrade(config, "head")


def migrate(service: str, *, afterwards: Iterable[str] = ()) -> None:
    """What an `env.py` does: the missing steps, then the statements `afterwards`, all of it or nothing."""

    def run(connection: Connection) -> None:
        context.configure(connection=connection)
        with context.begin_transaction():
            connection.execute(_HOLD, {"service": service})
            context.run_migrations()
            for statement in afterwards:
                connection.exec_driver_sql(statement)

    async def connect_and_run() -> None:
        bounds = {"timeout": _CONNECT_SECONDS_MAX}
        engine = create_async_engine(context.config.attributes["url"], poolclass=NullPool, connect_args=bounds)
        async with engine.begin() as connection:
            await connection.run_sync(run)
        await engine.dispose()

    asyncio.run(connect_and_run())
