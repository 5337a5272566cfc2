"""The main alarm sees rows that wait, whatever they wait for."""

import pytest
from prometheus_client import REGISTRY

from outbox import TopicRule
from outbox.testing import FakeBroker
from tests.given import Database
from tests.outbox_given import Connection, a_message, a_relay, commit, running
from tests.waiting import eventually

ORDERS = TopicRule("orders", versioned=True)


def _waiting() -> tuple[float, bool]:
    rows, age = (REGISTRY.get_sample_value(f"outbox_{name}") for name in ("backlog_rows", "oldest_unsent_seconds"))
    return rows or 0.0, (age or 0.0) > 1.0


async def test_rows_that_wait_for_a_broker_away_from_the_start_are_measured(
    outbox_database: Database, connection: Connection
) -> None:
    broker = FakeBroker(away=True)
    await commit(connection, *[a_message("orders", version=version) for version in (1, 2)])

    async with running(a_relay(outbox_database.dsn, broker, ORDERS, backoff_seconds_max=0.05)):
        await eventually(lambda: _waiting() == (2.0, True))
        broker.away = False

        await eventually(lambda: _waiting() == (0.0, False))


async def test_rows_that_wait_for_a_paused_relay_are_measured(
    outbox_database: Database, connection: Connection
) -> None:
    await connection.execute("update outbox_cursor set state = 'paused'")

    async with running(a_relay(outbox_database.dsn, FakeBroker(), ORDERS)):
        await commit(connection, a_message("orders"))

        await eventually(lambda: _waiting() == (1.0, True))


async def test_rows_that_come_while_a_batch_fails_are_measured_too(
    outbox_database: Database, connection: Connection
) -> None:
    broker = FakeBroker()
    relay = a_relay(outbox_database.dsn, broker, ORDERS, backoff_seconds_max=0.05)
    async with running(relay):
        await eventually(lambda: relay.owns)
        broker.away = True
        await commit(connection, a_message("orders", version=1))
        await commit(connection, *[a_message("orders", version=version) for version in range(2, 12)])

        await eventually(lambda: _waiting() == (11.0, True))
        broker.away = False


@pytest.mark.parametrize(("walked", "waiting"), [(0, 3.0), (2, 1.0)])
async def test_what_a_walk_is_past_does_not_wait(
    outbox_database: Database, connection: Connection, walked: int, waiting: float
) -> None:
    await commit(connection, *[a_message("orders", version=version) for version in (1, 2, 3)])
    await connection.execute(
        "update outbox_cursor set target = pg_current_snapshot(), walked_seq = $1, state = 'paused'", walked
    )

    async with running(a_relay(outbox_database.dsn, FakeBroker(), ORDERS)):
        await eventually(lambda: _waiting() == (waiting, True))
