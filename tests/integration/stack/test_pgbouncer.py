"""The pooler of our own: it serves the roles it was given, and comes back after a kill and after its database's."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from stack.errors import ServerFailed, ToolMissing
from stack.ports import free_port
from stack.servers import Pgbouncer
from stack.servers.pgbouncer import pgbouncer_binary, pgbouncer_version
from tests.given import Database, StartPostgres
from tests.poolers import pooler_before, require_pgbouncer
from tests.waiting import eventually


async def test_it_serves_and_serves_again_after_a_kill(database: Database) -> None:
    with pooler_before(database.dsn) as pooler:
        for _ in range(2):
            assert await _asked(pooler.through(database.dsn)) == database.name
            pooler.server.kill()
            pooler.server.start()


async def test_a_role_it_was_not_given_does_not_pass(database: Database) -> None:
    with pooler_before(database.dsn) as pooler, pytest.raises(asyncpg.PostgresError):
        await _asked(pooler.through(database.dsn_for("verifier", "s3cret")))


async def test_a_password_with_a_quote_passes(database: Database) -> None:
    admin = await asyncpg.connect(database.dsn)
    role, password = f"quoted_{database.name}", 'a"b'
    await admin.execute(f"create role {role} login password '{password}'")
    dsn = database.dsn_for(role, password)
    try:
        with pooler_before(dsn) as pooler:
            assert await _asked(pooler.through(dsn)) == database.name
    finally:
        await admin.execute(f"drop role {role}")
        await admin.close()


@pytest.mark.faults
async def test_a_database_that_crashed_is_reached_again_within_seconds(own_postgres: StartPostgres) -> None:
    server = own_postgres()
    dsn = server.admin_dsn
    with pooler_before(dsn) as pooler:
        await _asked(pooler.through(dsn))
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)

        await eventually(lambda: _reached(pooler.through(dsn)))


def test_a_setting_it_does_not_know_is_told(database: Database, server_folder: Path) -> None:
    require_pgbouncer()
    pooler = Pgbouncer(
        server_folder / "pooler",
        free_port(),
        upstream="127.0.0.1:5432",
        database=database.name,
        passwords={},
        extra_settings={"pool_moode": "transaction"},
    )

    with pytest.raises(ServerFailed, match="pool_moode"):
        pooler.start()

    assert pooler.pid is None


def test_its_version_is_the_systems() -> None:
    require_pgbouncer()

    assert pgbouncer_version(pgbouncer_binary()) >= (1, 12)


def test_a_program_that_is_not_pgbouncer_is_not_taken_for_it() -> None:
    with pytest.raises(ToolMissing, match="does not say its version"):
        pgbouncer_version(Path("/bin/true"))


async def _asked(dsn: str) -> str:
    connection = await asyncpg.connect(dsn, statement_cache_size=0)
    try:
        return str(await connection.fetchval("select current_database()"))
    finally:
        await connection.close()


async def _reached(dsn: str) -> bool:
    try:
        return bool(await _asked(dsn))
    except (OSError, asyncpg.PostgresError):
        return False
