"""A client process: several hands that write without pause and keep a history only a judge reads.

An attempt whose COMMIT was sent and not answered is settled by `pg_xact_status` with the id read inside the
transaction, as long as the server is still the one that gave the id; after a crash ids are handed out again, and the
attempt stays unknown.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from outbox import Wake
from tests.chaos.facts import Outcome
from tests.chaos.history import History
from tests.chaos.plans import Keys, drawn
from tests.chaos.shop import Abandoned, Draft
from tests.chaos.tables import Connection

FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

_IDENTITY = "select pg_current_xact_id()::text as xid, pg_postmaster_start_time()::text as server"
_STATUS = "select pg_xact_status($1::text::xid8) as status, pg_postmaster_start_time()::text as server"
_OUTCOMES = {"committed": Outcome.OK, "aborted": Outcome.REFUSED}
_SETTLE_SECONDS_MAX = 30.0
_RECONNECT_SECONDS = 0.1
_LIMITS = {"lock_timeout": "4s", "statement_timeout": "8s", "idle_in_transaction_session_timeout": "20s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a client is told: `dsn` may lead through a cut, `direct_dsn` never does."""

    name: str
    seed: str
    dsn: str
    direct_dsn: str
    topic: str
    history: str
    hands: int
    pause_seconds: float


async def write(load: Load, stopping: asyncio.Event) -> None:
    """Write until told to stop; every attempt begun is ended."""
    wake, keys = Wake(load.direct_dsn), Keys()
    await wake.start()
    try:
        with History(Path(load.history)) as history:
            shared: dict[str, Any] = {"history": history, "keys": keys, "wake": wake, "stopping": stopping}
            await asyncio.gather(*[_Hand(load, number, **shared).work() for number in range(load.hands)])
    finally:
        await wake.stop()


class _Hand:
    """One connection, one attempt after the other."""

    def __init__(
        self, load: Load, number: int, *, history: History, keys: Keys, wake: Wake, stopping: asyncio.Event
    ) -> None:
        self._load = load
        self._name = f"{load.name}.{number}"
        self._chance = random.Random(f"{load.seed}/{self._name}")
        self._history = history
        self._keys = keys
        self._wake = wake
        self._stopping = stopping
        self._attempts = 0

    async def work(self) -> None:
        """Write; when the connection is lost, connect again."""
        while not self._stopping.is_set():
            with suppress(*FAILURES):
                async with _connected(self._load.dsn) as connection:
                    self._keys.learn(await _first_keys(connection))
                    while not self._stopping.is_set() and not connection.is_closed():
                        await self._attempt(connection)
                        await self._rest(self._chance.expovariate(1 / self._load.pause_seconds))
            await self._rest(_RECONNECT_SECONDS)

    async def _attempt(self, connection: Connection) -> None:
        self._attempts += 1
        op = f"{self._name}.{self._attempts}"
        self._history.asked(op)
        draft, transaction = Draft(connection, op, topic=self._load.topic), connection.transaction()
        try:
            await transaction.start()
            await drawn(self._chance)(draft, self._keys, self._chance)
            xid, server = await _asked(connection, _IDENTITY)
        except (Abandoned, *FAILURES):
            self._history.ended(op, Outcome.REFUSED)  # no COMMIT was sent
            await transaction.rollback()
            return
        self._history.sent(op, int(xid), draft.changes)
        self._history.ended(op, await self._commit(transaction, xid, server))
        self._keys.learn([key for key, _ in draft.changes])
        self._wake.set()

    async def _commit(self, transaction: asyncpg.transaction.Transaction, xid: str, server: str) -> Outcome:
        try:
            await transaction.commit()
        except FAILURES:
            return await self._settled(xid, server)
        return Outcome.OK

    async def _settled(self, xid: str, server: str) -> Outcome:
        """Ask the server what became of the transaction; wait while it is still in progress."""
        outcome: Outcome | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE_SECONDS_MAX):
                while outcome is None:
                    with suppress(*FAILURES):
                        outcome = await self._status(xid, server)
                    await self._rest(_RECONNECT_SECONDS)
        return outcome or Outcome.UNKNOWN

    async def _status(self, xid: str, server: str) -> Outcome | None:
        async with _connected(self._load.direct_dsn) as connection:
            status, server_now = await _asked(connection, _STATUS, xid)
        return _OUTCOMES.get(status) if server_now == server else Outcome.UNKNOWN

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


async def _asked(connection: Connection, question: str, *args: str) -> tuple[str, str]:
    row = await connection.fetchrow(question, *args)
    if row is None:
        raise LookupError(question)
    first, second = row
    return first, second


async def _first_keys(connection: Connection) -> list[str]:
    rows = await connection.fetch("select order_id::text from orders order by order_id limit 100")
    return [row["order_id"] for row in rows]


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(dsn, timeout=5, command_timeout=15, server_settings=_LIMITS)
    try:
        yield connection
    finally:
        with suppress(*FAILURES):
            await connection.close(timeout=2)
