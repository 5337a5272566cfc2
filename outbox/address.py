"""A database's address: shown without its password, and what is wrong with it that no waiting cures.

Only what a sound server never answers while it restarts, recovers or is promoted counts as such: a server that is away,
starts, or is full passes by itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import asyncpg

from outbox import errors

_MISSING = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.UndefinedFunctionError)
_INSTALL = "`python -m outbox install-sql`, run once by the role that will own the tables, creates them"

_CURES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (asyncpg.InvalidPasswordError, "correct the password in the address"),
    (asyncpg.InvalidAuthorizationSpecificationError, "correct the role in the address, or let it in (pg_hba.conf)"),
    (asyncpg.InvalidCatalogNameError, "correct the database in the address, or create it"),
    (asyncpg.InvalidSchemaNameError, _INSTALL),
    (_MISSING, _INSTALL),
    (asyncpg.InsufficientPrivilegeError, "connect as the tables' owner: the role that ran install-sql"),
)


def shown(dsn: str) -> str:
    """Who, where and which, never the password: `owner@127.0.0.1:5432/shop`."""
    try:
        parts = urlsplit(dsn)
    except ValueError:
        return "an unreadable address"
    user, _, where = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return f"{name}@{where}{parts.path}" if name else f"{where}{parts.path if where else ''}" or "an unreadable address"


@contextmanager
def understood(dsn: str) -> Iterator[None]:
    """Inside, what no restart helps is raised by its name, with its cure; everything else goes through.

    Raises:
        errors.DatabaseUnusable: the address is wrong, refuses this role, or has no outbox for it.
    """
    try:
        yield
    except asyncpg.PostgresError as cause:
        cure = next((cure for kinds, cure in _CURES if isinstance(cause, kinds)), None)
        if cure is None:
            raise
        raise errors.DatabaseUnusable(shown(dsn), str(cause), cure) from cause


@contextmanager
def reached(dsn: str) -> Iterator[None]:
    """As `understood`, around connecting: what cannot be read as an address is refused too."""
    try:
        with understood(dsn):
            yield
    except (ValueError, OverflowError) as cause:  # asyncpg's ClientConfigurationError is a ValueError
        raise errors.DatabaseUnusable(shown(dsn), str(cause), "write postgresql://role@host:port/database") from cause
