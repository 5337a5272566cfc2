"""Run by Alembic: migrations over one asyncpg connection, one run at a time; then this version's functions."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.loms.repository.statements import functions

CONNECT_SECONDS_MAX = 10.0
# Two replicas that start together must not both migrate: the second waits, then finds nothing to do.
HOLD = "select pg_advisory_xact_lock(hashtextextended('loms migrations', 0))"


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        connection.exec_driver_sql(HOLD)
        context.run_migrations()
        for function in functions():
            connection.exec_driver_sql(function)


async def _connect_and_run() -> None:
    bounds = {"timeout": CONNECT_SECONDS_MAX}
    engine = create_async_engine(context.config.attributes["url"], poolclass=NullPool, connect_args=bounds)
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


asyncio.run(_connect_and_run())
