"""A transaction pooler between us and Postgres: noticed by asking, lived with where it may stand, refused where not.

A pooler lends a client a backend from BEGIN to COMMIT only, and two things follow:

- `LISTEN`, settings of a session and locks of a session need the server itself: `DirectAddress` refuses a pooler.
- A statement prepared once is not there when it is wanted again, unless the pooler carries it to the next backend, as
  pgbouncer does from 1.21 on with `max_prepared_statements` above 0. Otherwise the driver must keep none. One statement
  alone is safe either way: asyncpg prepares and executes it before the server says that it is ready again, and a
  pooler changes backends only there.
"""

import secrets
from enum import Enum
from functools import partial
from typing import Any

import asyncpg

from chassis.lifecycle import NeedsOperator
from chassis.patience import Patience, address_of

_ASKING = "who-answers"
_BACKEND = "select pg_backend_pid()"
_KNOWN_BY_OUR_NAME = "select exists (select from pg_prepared_statements where name = $1)"


class Answering(Enum):
    """Who answers at an address, as a log shows it."""

    SERVER = "the server itself"
    PREPARING_POOLER = "a pooler that carries prepared statements"
    FORGETFUL_POOLER = "a pooler that does not carry prepared statements"

    @property
    def is_server(self) -> bool:
        """Whether nobody stands in between."""
        return self is Answering.SERVER


async def who_answers(dsn: str, *, connect_seconds_max: float = 3.0) -> Answering:
    """Connect once and ask; raises what asyncpg raises when there is no connection.

    The server names the backend when it greets, a pooler greets before it has one: the process that answers is another
    than the one that was named. Asked in one transaction and without a setting, so that any pooler lets it pass.
    """
    connection = await asyncpg.connect(
        dsn,
        timeout=connect_seconds_max,
        command_timeout=connect_seconds_max,
        statement_cache_size=0,
        server_settings={"application_name": _ASKING},
    )
    try:
        async with connection.transaction():
            if await connection.fetchval(_BACKEND) == connection.get_server_pid():
                return Answering.SERVER
            return await _kind_of_pooler(connection)
    finally:
        await connection.close()


async def _kind_of_pooler(connection: "asyncpg.Connection[Any]") -> Answering:
    """See whether the server knows a statement by the name we gave it: a pooler that carries them renames them."""
    kept = await connection.prepare("select 1", name=f"asked_{secrets.token_hex(8)}")
    if not await connection.fetchval(_KNOWN_BY_OUR_NAME, kept.get_name()):
        return Answering.PREPARING_POOLER
    await connection.execute(f'deallocate "{kept.get_name()}"')
    return Answering.FORGETFUL_POOLER


class PooledAddress(NeedsOperator):
    """A pooler answers where only the server will do."""

    def __init__(self, setting: str, where: str, reason: str) -> None:
        super().__init__(
            f"{setting} leads to a connection pooler at {where}, and {reason}: "
            f"set {setting} to the address of PostgreSQL itself"
        )
        self.setting = setting
        self.where = where


class DirectAddress:
    """A component that starts only where the server itself answers, because `reason` ("the wake needs …").

    A database that is coming up is waited for like `Pool` does; a pooler raises `PooledAddress`.
    """

    def __init__(self, dsn: str, *, setting: str, reason: str, start_seconds_max: float = 30.0) -> None:
        self.name = f"direct address {setting}"
        self._dsn = dsn
        self._setting = setting
        self._reason = reason
        self._start_seconds_max = start_seconds_max

    async def start(self) -> None:
        """Ask who answers."""
        where = address_of(self._dsn)
        once = Patience(self._setting, where, self._start_seconds_max)
        if not (await once.until_connected(partial(who_answers, self._dsn))).is_server:
            raise PooledAddress(self._setting, where, self._reason)

    async def stop(self) -> None:
        """Nothing is held."""
