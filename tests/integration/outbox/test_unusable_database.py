"""What no waiting cures ends the relay by name, with its cure; what passes by itself does not."""

import asyncio
import logging
from urllib.parse import quote

import asyncpg
import pytest

from outbox import Relay, TopicRule, errors
from outbox.address import reached, shown
from outbox.session import Session
from outbox.testing import FakeBroker
from tests.given import Database
from tests.outbox_given import WRITER_ROLE, Connection, a_relay, running
from tests.waiting import eventually

ORDERS = TopicRule("orders", versioned=True)


async def _ended_by(dsn: str) -> str:
    with pytest.raises(errors.DatabaseUnusable) as ended:
        async with asyncio.timeout(10):
            await a_relay(dsn, FakeBroker(), ORDERS).run()
    return str(ended.value)


async def test_a_wrong_password_ends_the_relay(outbox_database: Database) -> None:
    said = await _ended_by(outbox_database.dsn_for(WRITER_ROLE, "wrong"))

    assert f"{WRITER_ROLE}@" in said
    assert "correct the password" in said
    assert ":wrong" not in said


async def test_a_role_that_does_not_exist_ends_the_relay(outbox_database: Database) -> None:
    assert "correct the" in await _ended_by(outbox_database.dsn_for("nobody_at_all", "x"))


async def test_a_role_without_rights_ends_the_relay(outbox_database: Database) -> None:
    said = await _ended_by(outbox_database.dsn_for(WRITER_ROLE, "writer"))

    assert "permission denied for table outbox_cursor" in said
    assert "connect as the tables' owner" in said


async def test_a_missing_database_ends_the_relay(outbox_database: Database) -> None:
    said = await _ended_by(outbox_database.dsn.replace(outbox_database.name, "no_such_database"))

    assert 'database "no_such_database" does not exist' in said


@pytest.mark.parametrize("gone", ["outbox_cursor", "outbox_void", "outbox"])
async def test_a_missing_table_ends_the_relay(outbox_database: Database, connection: Connection, gone: str) -> None:
    await connection.execute(f"drop table {gone}")

    said = await _ended_by(outbox_database.dsn)

    assert f'relation "{gone}" does not exist' in said
    assert "install-sql" in said


@pytest.mark.parametrize(
    "nonsense",
    [
        "nonsense",
        "postgresql://u:secret@h:abc/x",
        "http://h/x",
        "postgres://[::1/x",
        "postgresql://u@127.0.0.1:99999/x",
    ],
)
async def test_nonsense_for_an_address_ends_the_relay(nonsense: str) -> None:
    said = await _ended_by(nonsense)

    assert "write postgresql://role@host:port/database" in said
    assert "secret" not in said


async def test_a_column_that_is_missing_ends_the_relay(outbox_database: Database, connection: Connection) -> None:
    await connection.execute("alter table outbox drop column headers")

    assert 'column "headers" does not exist' in await _ended_by(outbox_database.dsn)


@pytest.mark.parametrize(
    "passing",
    [
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.CrashShutdownError("terminating connection because of crash of another server process"),
        asyncpg.ReadOnlySQLTransactionError("cannot execute UPDATE in a read-only transaction"),
        asyncpg.ObjectInUseError("in use"),
        ConnectionRefusedError("refused"),
        TimeoutError(),
    ],
)
def test_what_a_restart_or_a_promotion_says_goes_through(passing: Exception) -> None:
    with pytest.raises(type(passing)), reached("postgresql://u@h/x"):
        raise passing


class Breaking:
    """Opens sessions that are lost as soon as they are there."""

    def __init__(self) -> None:
        self.opened = 0

    async def __call__(self, dsn: str, application_name: str) -> Session:
        self.opened += 1
        session = await Session.open(dsn, application_name)
        await session.close()
        return session


async def test_a_session_that_is_lost_before_its_first_query_backs_off_longer_and_longer(
    outbox_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "outbox.relay")
    sessions = Breaking()
    relay = Relay(
        dsn=outbox_database.dsn, bootstrap_servers="x:1", topics=[], sessions=sessions, backoff_seconds_max=60
    )
    async with running(relay):
        await eventually(lambda: any(float(vars(lost)["retry_seconds"]) > 0.2 for lost in caplog.records), within=20)

    assert sessions.opened <= 12


def test_an_address_is_shown_without_its_password() -> None:
    assert shown(f"postgresql://own:{quote('p@ss:word')}@127.0.0.1:5432/shop") == "own@127.0.0.1:5432/shop"
    assert shown("postgresql://127.0.0.1/shop") == "127.0.0.1/shop"
