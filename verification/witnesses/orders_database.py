"""Reads the outbox and the orders themselves, both in one snapshot, so that a running platform does not blur them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import orjson

from verification.facts import VOID_TYPE, Audited, Committed, Current, Status, digest
from verification.report import Finding, Kind
from verification.statements import statement
from verification.witnesses.away import WitnessAway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from verification.report import Findings, Tallies
    from verification.spool import Spool
    from verification.tail import Tail

    Connection = asyncpg.Connection[asyncpg.Record]

_ROWS_AHEAD: Final = 5_000
_CONNECT_SECONDS_MAX: Final = 10
_DECIMAL: Final = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class Kept:
    """What the outbox still has: when its oldest row was written, and whether older ones were dropped."""

    since: datetime | None
    trimmed: bool

    @property
    def judged_since(self) -> float:
        """Give the moment before which nothing can be said, in seconds since 1970; 0 if all can."""
        return self.since.timestamp() if self.trimmed and self.since else 0.0


class OrdersDatabase:
    """The database of orders, seen by a reader."""

    def __init__(self, *, dsn: str, topic: str) -> None:
        self._dsn = dsn
        self._topic = topic

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """Open one unchanging view of the database."""
        async with connected(self._dsn, "the database of orders") as connection:
            transaction = connection.transaction(isolation="repeatable_read", readonly=True)
            await transaction.start()
            try:
                now: datetime = await connection.fetchval(statement("now"))
                yield Snapshot(connection, topic=self._topic, now=now)
            finally:
                await transaction.rollback()

    async def rows_of(self, order_ids: Sequence[int]) -> list[Committed]:
        """Give every row of these orders as they are now, whenever written, none of them counted to the window."""
        async with connected(self._dsn, "the database of orders") as connection:
            keys = [str(order_id) for order_id in order_ids]
            rows = await connection.fetch(statement("outbox_of_orders"), self._topic, keys)
        return [_committed(row, inside=False) for row in rows if not _strange(row)]

    async def audit_of(self, order_ids: Sequence[int]) -> list[Audited]:
        """Give every change of these orders the audit trigger ever saw, none of them counted to the window."""
        async with connected(self._dsn, "the database of orders") as connection:
            rows = await connection.fetch(statement("audit_of_orders"), list(order_ids))
        return [_audited(row, inside=False) for row in rows]

    async def operator_moved(self, since: datetime) -> float | None:
        """Say when an operator first made records come again on purpose, in seconds since 1970; None if nobody did."""
        async with connected(self._dsn, "the database of orders") as connection:
            moment = await connection.fetchval(statement("operator_moves"), since)
        return None if moment is None else float(moment.timestamp())


class Snapshot:
    """One view; `now` is the database's clock when it was taken."""

    def __init__(self, connection: Connection, *, topic: str, now: datetime) -> None:
        self._connection = connection
        self._topic = topic
        self.now = now

    async def kept(self) -> Kept:
        """Say how far back the rows go."""
        row = await self._connection.fetchrow(statement("outbox_oldest"), self._topic)
        return Kept(row["kept_since"], row["trimmed"]) if row else Kept(None, trimmed=False)

    async def read_rows(
        self, since: datetime, spool: Spool, tail: Tail, *, findings: Findings, tallies: Tallies
    ) -> None:
        """Spool every row written since; a row that names no order or version is a finding at once."""
        cursor = self._connection.cursor(statement("outbox_since"), self._topic, since, prefetch=_ROWS_AHEAD)
        async for row in cursor:
            if _strange(row):
                tallies.outbox.rows += 1
                tallies.outbox.extra += 1
                findings.add(_strange_finding(row))
                continue
            spool.add(_committed(row, inside=True))
            tail.add(row["event_id"].bytes, row["occurred_at"].timestamp())

    async def read_orders(self, since: datetime, spool: Spool) -> None:
        """Spool every order that changed since, as its own row says."""
        cursor = self._connection.cursor(statement("orders_since"), since, prefetch=_ROWS_AHEAD)
        async for row in cursor:
            spool.add(Current(row["order_id"], row["version"], Status.named(row["status"]), row["began"]))

    async def audited_since(self) -> float | None:
        """Say from which moment the audit trigger saw every change, in seconds since 1970; None where there is none."""
        if not await self._connection.fetchval(statement("audit_stands")):
            return None
        installed: datetime = await self._connection.fetchval(statement("audit_installed"))
        return installed.timestamp()

    async def read_audit(self, since: datetime, spool: Spool, *, findings: Findings) -> None:
        """Spool every change the audit trigger saw since; more reserved than there is is a finding at once (I-05)."""
        cursor = self._connection.cursor(statement("audit_since"), since, prefetch=_ROWS_AHEAD)
        async for row in cursor:
            spool.add(_audited(row, inside=True))
        for row in await self._connection.fetch(statement("audit_stocks_short"), since):
            findings.add(_short_finding(row))


@asynccontextmanager
async def connected(dsn: str, witness: str) -> AsyncIterator[Connection]:
    """Connect for a while; raises WitnessAway if nobody answers or a table is not as the contract says."""
    try:
        connection = await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS_MAX)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise WitnessAway(witness, str(error) or type(error).__name__) from error
    try:
        yield connection
    except asyncpg.PostgresError as error:
        raise WitnessAway(witness, str(error)) from error
    finally:
        await connection.close(timeout=_CONNECT_SECONDS_MAX)


def _strange(row: asyncpg.Record) -> bool:
    return row["version"] is None or not row["key"] or not set(row["key"]) <= _DECIMAL


def _strange_finding(row: asyncpg.Record) -> Finding:
    text = f"row {row['seq']} has key {row['key']!r} and version {row['version']}: it belongs to no order"
    return Finding(kind=Kind.OUTBOX_INVENTS, invariant="I-08", order_id=None, version=None, text=text)


def _committed(row: asyncpg.Record, *, inside: bool) -> Committed:
    order_id = int(row["key"])
    shown = (VOID_TYPE, None) if row["void"] else (row["type"], row["payload"])
    return Committed(
        order_id=order_id,
        version=row["version"],
        seq=row["seq"],
        event_id=row["event_id"].bytes,
        digest=digest(*shown),
        xid=row["xid"],
        at=row["occurred_at"].timestamp(),
        status=_status(order_id, row["payload"]),
        inside=inside,
    )


def _audited(row: asyncpg.Record, *, inside: bool) -> Audited:
    return Audited(
        order_id=row["order_id"],
        version=row["version"],
        was_version=row["was_version"],
        xid=row["xid"],
        at=row["at"].timestamp(),
        status=Status.named(row["status"]),
        inside=inside,
    )


def _short_finding(row: asyncpg.Record) -> Finding:
    what = f"transaction {row['xid']} left sku {row['sku']} with {row['reserved']} reserved of {row['total']}"
    return Finding(kind=Kind.OVERSOLD, invariant="I-05", order_id=None, version=None, text=what)


def _status(order_id: int, payload: bytes) -> Status:
    """Read the body as the contract has it; a body about another order says nothing about this one."""
    try:
        body: Any = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return Status.UNKNOWN
    if not isinstance(body, dict) or body.get("order_id") != order_id:
        return Status.UNKNOWN
    return Status.named(body.get("status"))
