"""PostgreSQL of our own: it starts on what any end left behind, and loses nothing that was committed."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import asyncpg
import psutil
import pytest

from stack.errors import FolderInUse, PortInUse, ServerFailed
from stack.ports import LOOPBACK, free_port, is_free
from stack.servers import Postgres
from stack.servers.child import lives
from tests.given import StartPostgres
from tests.owners import owner_of_postgres
from tests.waiting import eventually


async def asked(dsn: str, sql: str) -> object:
    """The single answer to a statement, on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def own_processes(pid: int | None) -> list[psutil.Process]:
    """The postmaster and its backends."""
    postmaster = psutil.Process(pid)
    return [postmaster, *postmaster.children(recursive=True)]


async def test_it_answers_once_started_and_is_durable(own_postgres: StartPostgres) -> None:
    server = own_postgres()

    assert await asked(server.admin_dsn, "SHOW fsync") == "on"
    assert await asked(server.admin_dsn, "SHOW data_checksums") == "on"
    assert await asked(server.admin_dsn, "SHOW max_prepared_transactions") == "16"


async def test_a_wrong_password_is_refused(own_postgres: StartPostgres) -> None:
    server = own_postgres()

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.dsn("postgres", "postgres", "guessed"))


async def test_extra_settings_are_laid_over_the_defaults(own_postgres: StartPostgres) -> None:
    server = own_postgres(extra_settings={"wal_level": "logical", "max_connections": "40"})

    assert await asked(server.admin_dsn, "SHOW wal_level") == "logical"
    assert await asked(server.admin_dsn, "SHOW max_connections") == "40"


def test_starting_twice_is_starting_once_and_stopping_twice_is_stopping_once(own_postgres: StartPostgres) -> None:
    server = own_postgres()
    pid = server.pid

    server.start()
    assert server.pid == pid

    server.stop()
    server.stop()
    assert server.pid is None
    assert is_free(server.port)


async def test_what_was_committed_survives_a_kill_of_the_postmaster_and_all_backends(
    own_postgres: StartPostgres,
) -> None:
    server = own_postgres()
    await asked(server.admin_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    processes = own_processes(server.pid)

    server.kill()
    assert [process for process in processes if lives(process)] == []
    server.start()

    assert await asked(server.admin_dsn, "SELECT answer FROM kept") == 42


async def test_an_immediate_stop_is_recovered_from(own_postgres: StartPostgres) -> None:
    server = own_postgres()
    await asked(server.admin_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")

    server.stop("immediate")
    server.start()

    assert await asked(server.admin_dsn, "SELECT answer FROM kept") == 42


async def test_a_frozen_server_is_silent_until_it_is_thawed(own_postgres: StartPostgres) -> None:
    server = own_postgres()
    connection = await asyncpg.connect(server.admin_dsn)

    server.freeze()
    answer = asyncio.create_task(connection.fetchval("SELECT 42"))
    done, _ = await asyncio.wait([answer], timeout=0.3)
    assert done == set()

    server.thaw()
    assert await answer == 42
    await connection.close()


async def test_a_frozen_server_can_be_stopped(own_postgres: StartPostgres) -> None:
    server = own_postgres()

    server.freeze()
    server.stop()

    assert server.pid is None


def test_a_taken_port_is_refused_before_anything_runs(server_folder: Path) -> None:
    with socket.create_server((LOOPBACK, free_port())) as listener:
        port = listener.getsockname()[1]
        server = Postgres(server_folder / "postgres", port, port_setting="ONELANE_POSTGRES_PORT")

        with pytest.raises(PortInUse, match="ONELANE_POSTGRES_PORT"):
            server.start()

    assert server.pid is None
    assert not server.data.exists()


async def test_a_pid_file_that_names_a_living_stranger_does_not_keep_it_from_starting(
    own_postgres: StartPostgres,
) -> None:
    server = own_postgres()
    server.kill()
    pid_file = server.data / "postmaster.pid"
    pid_file.write_text("\n".join([str(os.getpid()), *pid_file.read_text().splitlines()[1:]]) + "\n")

    server.start()

    assert await asked(server.admin_dsn, "SELECT 42") == 42


def test_a_folder_in_use_by_a_living_program_is_refused(server_folder: Path) -> None:
    folder = server_folder / "postgres"
    with owner_of_postgres(folder, free_port(), bound=True):
        second = Postgres(folder, free_port())

        with pytest.raises(FolderInUse):
            second.start()


async def test_a_server_whose_owner_was_killed_is_ended_by_the_next_start(server_folder: Path) -> None:
    folder, port = server_folder / "postgres", free_port()
    with owner_of_postgres(folder, port, bound=False) as (owner, pid):
        await asked(Postgres(folder, port).admin_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        assert psutil.pid_exists(pid)

    with Postgres(folder, port, dies_with_parent=True) as heir:
        assert heir.pid != pid
        assert await asked(heir.admin_dsn, "SELECT answer FROM kept") == 42


async def test_a_server_bound_to_its_owner_dies_with_it(server_folder: Path) -> None:
    port = free_port()
    with owner_of_postgres(server_folder / "postgres", port, bound=True) as (owner, _):
        owner.send_signal(signal.SIGKILL)

        await eventually(lambda: is_free(port))


async def test_a_server_that_cannot_start_says_why_and_starts_once_it_can(server_folder: Path) -> None:
    folder = server_folder / "postgres"
    broken = Postgres(folder, free_port(), extra_settings={"shared_buffers": "much"})

    with pytest.raises(ServerFailed, match="invalid value for parameter"):
        broken.start()
    assert broken.pid is None

    with Postgres(folder, free_port(), dies_with_parent=True) as mended:
        assert await asked(mended.admin_dsn, "SELECT 42") == 42


async def test_a_copy_follows_the_server_it_was_made_of(own_postgres: StartPostgres) -> None:
    primary = own_postgres()
    standby = own_postgres(copy_of=primary)

    await asked(primary.admin_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")

    assert await asked(standby.admin_dsn, "SELECT pg_is_in_recovery()") is True
    await eventually(lambda: asked(standby.admin_dsn, "SELECT to_regclass('kept') IS NOT NULL"))
