"""Every error of the database is one of three: try again, nobody knows, or refused."""

import asyncpg
import pytest

from services.loms.repository.outcomes import meaning_of
from services.loms.service.ports import AlreadyPlaced, Conflict, OutcomeUnknown

MEANINGS: dict[str, type[Exception] | None] = {
    "40001": Conflict,  # serialization failure
    "40P01": Conflict,  # deadlock
    "55P03": Conflict,  # a lock that was not waited for
    "40003": OutcomeUnknown,  # statement completion unknown
    "08000": OutcomeUnknown,
    "08003": OutcomeUnknown,
    "08006": OutcomeUnknown,
    "57P01": OutcomeUnknown,  # the server is told to end
    "57P02": OutcomeUnknown,  # another of its processes crashed
    "57014": None,  # the statement's time was up: the server rolled back, and would again
    "22003": None,  # out of range
    "23503": None,  # a reference to nothing
    "23514": None,  # a check
    "25006": None,  # the server has become a standby
    "42501": None,  # no right
    "42P01": None,  # no such table
    "53100": None,  # the disk is full
    "XX000": None,  # Postgres's own fault
}


@pytest.mark.parametrize("state", MEANINGS)
def test_every_state_the_server_may_report_has_a_meaning(state: str) -> None:
    error = asyncpg.PostgresError.new({"C": state, "M": "as the server says it"})

    assert meaning_of(error) is MEANINGS[state]


@pytest.mark.parametrize(
    ("constraint", "meaning"),
    [("orders_pkey", AlreadyPlaced), ("idempotency_keys_pkey", Conflict), ("order_items_pkey", None)],
)
def test_a_violated_key_says_who_was_faster(constraint: str, meaning: type[Exception] | None) -> None:
    error = asyncpg.PostgresError.new({"C": "23505", "M": "duplicate key", "n": constraint})

    assert meaning_of(error) is meaning


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("by the peer"),
        TimeoutError(),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.InterfaceError("cannot perform operation: connection is closed"),
    ],
)
def test_a_connection_that_ends_leaves_the_outcome_unknown(error: Exception) -> None:
    assert meaning_of(error) is OutcomeUnknown


def test_a_mistake_of_ours_stands_for_itself() -> None:
    assert meaning_of(asyncpg.InterfaceError("another operation is in progress")) is None
    assert meaning_of(KeyError("no such column")) is None
