"""What an error of the database means for the write that met it: nothing happened, nobody knows, or it is our fault.

Every error is one of three. *Again*: the server rolled back for the sake of others, or there was no connection yet; the
same may be tried again. *Unknown*: the connection was lost, or we stopped waiting, while the server was at work.
*Refused*: everything else; the server said no, rolled back, and would say it again, so it is raised as it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from services.loms.service.ports import AlreadyPlaced, Conflict, DatabaseAway, OutcomeUnknown

ROLLED_BACK_BY_OTHERS = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
"""What Postgres raises after it has rolled back for the sake of others."""

LOST = (
    OSError,  # the socket, and TimeoutError: we no longer wait, and the server may still be at it
    asyncpg.PostgresConnectionError,  # class 08, and the driver's own word for a connection that ended under it
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.StatementCompletionUnknownError,
    asyncpg.InternalClientError,  # the driver, when a connection ends between two of its states
)
"""What is raised when nobody can say any more whether the server has committed."""

NOT_REACHED = (
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.PostgresConnectionError,
    ConnectionError,
)
"""What connecting raises while a database starts, ends or is full. Waiting in vain for a free connection is not among
them: whoever waited so long shall not wait again."""

TAKEN: dict[str, type[Exception]] = {"orders_pkey": AlreadyPlaced, "idempotency_keys_pkey": Conflict}
"""What a violated primary key tells: the order has been placed, the attempt has been answered."""


@contextmanager
def reaching() -> Iterator[None]:
    """Raise DatabaseAway if the block, which connects, finds no database."""
    try:
        yield
    except NOT_REACHED as error:
        raise DatabaseAway(_named(error)) from error


def raise_meaning_of(error: Exception) -> None:
    """Raise what an error of a block that asks the database means; return if it stands for itself, as refusals do."""
    meaning = meaning_of(error)
    if meaning is not None:
        raise meaning(_named(error)) from error


def meaning_of(error: Exception) -> type[Exception] | None:
    """Return Conflict, OutcomeUnknown or AlreadyPlaced; None if the error stands for itself."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return TAKEN.get(error.constraint_name or "")
    if isinstance(error, ROLLED_BACK_BY_OTHERS):
        return Conflict
    if isinstance(error, LOST) or _is_closed(error):
        return OutcomeUnknown
    return None


def _is_closed(error: Exception) -> bool:
    """Whether the driver refused a statement because the connection had ended; it has no class of its own for that."""
    return isinstance(error, asyncpg.InterfaceError) and "closed" in str(error)


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
