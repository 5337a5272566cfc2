"""What a runner is told is checked before anything runs."""

import re
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError

from inbox import Event, Limits, Reject, Runner, TopicPolicy, TryAgain, install_sql, install_statements
from inbox.errors import BadLimits
from inbox.faults import fault_of_surroundings, reason_of

AN_EVENT = Event("orders", 0, 0, "42", 1, UUID(int=1), "order.paid", datetime(2026, 11, 21, tzinfo=UTC), {}, b"{}")


@pytest.mark.parametrize(
    ("setting", "value"),
    [("batch_events_max", 0), ("connections_max", 101), ("session_timeout_seconds", 1), ("retry_seconds_max", -1)],
)
def test_a_limit_out_of_its_bounds_is_refused_by_name(setting: str, value: float) -> None:
    with pytest.raises(BadLimits, match=f"{setting} = {value}"):
        Limits(**{setting: value})  # type: ignore[arg-type]  # one of several fields


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"batch_events_max": 1.5}, "batch_events_max = 1.5 is refused: must be of type int"),
        ({"stop_seconds_max": "5"}, "stop_seconds_max = '5' is refused: must be of type float"),
        (
            {"retry_seconds_min": 5.0, "retry_seconds_max": 1.0},
            "retry_seconds_min = 5.0 is refused: must be at most retry_seconds_max = 1.0",
        ),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused_by_name(limits: dict[str, Any], told: str) -> None:
    with pytest.raises(BadLimits, match=re.escape(told)):
        Limits(**limits)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({"name": ""}, "name = '' is refused"),
        ({"name": "a b!"}, "name = 'a b!' is refused"),
        ({"name": "t", "first_version": "foo"}, "first_version = 'foo' is refused"),
        ({"name": "t", "dead_letters": "t"}, "dead_letters = 't' is refused"),
    ],
)
def test_a_topic_that_cannot_be_read_so_is_refused_by_name(policy: dict[str, Any], told: str) -> None:
    with pytest.raises(BadLimits, match=re.escape(told)):
        TopicPolicy(**policy)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"consumer": ""}, "consumer = ''"),
        ({"dsn": ""}, "dsn = ''"),
        ({"bootstrap_servers": ""}, "bootstrap_servers = ''"),
        ({"topics": []}, "topics = []"),
        ({"topics": [TopicPolicy("t"), TopicPolicy("t", versioned=False)]}, "topics = ['t', 't']"),
        ({"kafka_options": {"foo": 1}}, "kafka_options = 'foo'"),
        ({"kafka_options": {"request_timeout_ms": 1}}, "kafka_options = 'request_timeout_ms'"),
    ],
)
def test_a_runner_that_cannot_run_is_refused_by_name(setting: dict[str, Any], told: str) -> None:
    async def handle(*_: object) -> None: ...

    settings: dict[str, Any] = {"consumer": "c", "topics": [TopicPolicy("t")], "handler": handle, "dsn": "d"}
    with pytest.raises(BadLimits, match=re.escape(f"{told} is refused")):
        Runner(**{**settings, "bootstrap_servers": "b", **setting})


def test_a_handler_that_cannot_be_awaited_is_refused_by_name() -> None:
    def plain(*_: object) -> None: ...

    class AsyncObject:
        async def __call__(self, *_: object) -> None: ...

    def runner(handler: Any) -> Runner:
        return Runner(consumer="c", topics=[TopicPolicy("t")], handler=handler, dsn="d", bootstrap_servers="b")

    for wrong in (plain, partial(plain), None, "handler"):
        with pytest.raises(BadLimits, match=r"handler = .* must be an `async def`"):
            runner(wrong)
    runner(AsyncObject())
    runner(partial(AsyncObject(), 1))


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


def from_cause(error: Exception, cause: Exception) -> Exception:
    """As `raise error from cause` leaves it."""
    error.__cause__ = cause
    return error


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
        (TryAgain("the stock is being counted"), True),
        (ExceptionGroup("two", [KeyError("x"), ConnectionRefusedError()]), True),
        (ExceptionGroup("one", [ExceptionGroup("within", [asyncpg.DeadlockDetectedError("x")])]), True),
        (from_cause(RuntimeError("all attempts failed"), ConnectionRefusedError()), True),
        (from_cause(RuntimeError("x"), from_cause(KeyError("y"), TimeoutError())), True),
        (ExceptionGroup("two", [KeyError("x"), ValueError("y")]), False),
        (from_cause(RuntimeError("x"), KeyError("y")), False),
        (from_cause(Reject(AN_EVENT, "unknown"), TimeoutError()), False),
        (from_cause(asyncpg.UniqueViolationError("x"), TimeoutError()), False),
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


def test_a_refusal_within_a_group_keeps_its_own_words() -> None:
    assert reason_of(ExceptionGroup("tasks", [Reject(AN_EVENT, "unknown status")])) == "unknown status"
    assert reason_of(KeyError("status")) == "KeyError: 'status'"


def test_an_exception_that_is_its_own_cause_is_asked_once() -> None:
    first, second = KeyError("x"), ValueError("y")
    first.__cause__, second.__cause__ = second, first

    assert fault_of_surroundings(first) is False
