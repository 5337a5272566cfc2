"""What a runner is told is checked before anything runs."""

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError

from inbox import Limits, Runner, TopicPolicy, install_sql, install_statements
from inbox.errors import BadLimits
from inbox.faults import fault_of_surroundings


@pytest.mark.parametrize(
    ("setting", "value"),
    [("batch_events_max", 0), ("connections_max", 101), ("session_timeout_seconds", 1), ("retry_seconds_max", -1)],
)
def test_a_limit_out_of_its_bounds_is_refused_by_name(setting: str, value: float) -> None:
    with pytest.raises(BadLimits, match=f"{setting} = {value}"):
        Limits(**{setting: value})  # type: ignore[arg-type]  # one of several fields


def test_a_runner_without_topics_is_refused() -> None:
    async def handle(*_: object) -> None: ...

    with pytest.raises(BadLimits, match="topics"):
        Runner(consumer="c", topics=[], handler=handle, dsn="", bootstrap_servers="")


def test_dead_letters_go_beside_their_topic_unless_said_otherwise() -> None:
    assert TopicPolicy("orders").dead_letters == "orders.dead"
    assert TopicPolicy("orders", dead_letters="morgue").dead_letters == "morgue"


def test_the_script_is_the_statements_with_the_role_quoted() -> None:
    statements = install_statements(app_role='the "app"')

    assert install_sql(app_role='the "app"') == "\n".join(statements)
    assert 'to "the ""app""";' in statements[-1]


def test_a_role_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="not the name of a role"):
        install_sql(app_role="")


@pytest.mark.parametrize(
    ("error", "surroundings"),
    [
        (asyncpg.DeadlockDetectedError("x"), True),
        (asyncpg.SerializationError("x"), True),
        (asyncpg.UndefinedTableError("x"), True),
        (asyncpg.InsufficientPrivilegeError("x"), True),
        (asyncpg.ReadOnlySQLTransactionError("x"), True),
        (asyncpg.QueryCanceledError("x"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (KafkaConnectionError(), True),
        (asyncpg.UniqueViolationError("x"), False),
        (asyncpg.NumericValueOutOfRangeError("x"), False),
        (asyncpg.RaiseError("x"), False),
        (asyncpg.InFailedSQLTransactionError("x"), False),
        (KeyError("status"), False),
        (ValueError("status"), False),
    ],
)
def test_an_exception_tells_whose_fault_it_is(*, error: Exception, surroundings: bool) -> None:
    assert fault_of_surroundings(error) is surroundings
