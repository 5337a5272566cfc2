"""A database with the outbox in it, and a connection to write with."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.given import Database
from tests.outbox_given import Connection, install


@pytest.fixture
async def outbox_database(database: Database) -> Database:
    await install(database.dsn)
    return database


@pytest.fixture
async def connection(outbox_database: Database) -> AsyncIterator[Connection]:
    opened = await asyncpg.connect(outbox_database.dsn)
    try:
        yield opened
    finally:
        await opened.close()
