"""One order's whole story: committed, published, applied, told; each step read where it happened.

The order's own row and the ledger stay; outbox rows and records are kept for their retention. A step whose row is gone
is told as gone, so that nothing looks as if it had never happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from verification.counters import connected
from verification.records import records_of_key
from verification.statements import statement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    import asyncpg

    from verification.records import KeyRecord

ORDER_EVENTS: Final = "loms.order-events"
CONSUMER: Final = "notification"
WITNESSES: Final = ("loms", "kafka", "inbox", "telegram")
"""Where a status change passes, in this order; the clocks of two of them may differ by more than it takes."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to version ``version`` of the order, at ``at``; ``where`` names the witness.

    ``at`` is None where nobody remembers the moment.
    """

    at: datetime | None
    version: int
    where: str
    what: str

    def as_json(self) -> dict[str, Any]:
        """The step in the command's stable schema."""
        at = self.at.isoformat() if self.at else None
        return {"at": at, "version": self.version, "where": self.where, "what": self.what}


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long is kept what is not kept for ever: the outbox's rows, and the topic's records."""

    rows: timedelta
    records: timedelta


@dataclass(frozen=True, slots=True)
class _Life:
    """What is known of an order without its rows and records: which versions it had, and when each was made.

    ``made`` lacks the moments nobody remembers.
    """

    versions: Sequence[int]
    made: Mapping[int, datetime]
    began: datetime
    now: datetime

    def lacked(self, found: Collection[int]) -> list[int]:
        return [version for version in self.versions if version not in found]

    def outlived(self, version: int, retention: timedelta) -> bool:
        """Whether a version is older than that; one without a moment is as old as the latest one before it."""
        earlier = [moment for known, moment in self.made.items() if known <= version]
        return self.now - max(earlier, default=self.began) > retention


async def read_timeline(
    order_id: int,
    *,
    loms_dsn: str,
    notification_dsn: str,
    bootstrap_servers: str,
    retention: Retention,
    topic: str = ORDER_EVENTS,
) -> list[Step]:
    """Every known step of an order, version by version, witness by witness; empty for an order nobody knows."""
    key = str(order_id)
    async with connected(loms_dsn) as connection:
        order = await connection.fetchrow(statement("timeline_order"), order_id)
        committed = await connection.fetch(statement("timeline_outbox"), topic, key)
    async with connected(notification_dsn) as connection:
        told = await connection.fetch(statement("timeline_ledger"), order_id)
        parked = await connection.fetch(statement("timeline_parked"), CONSUMER, topic, key)
    steps = [*_committed(committed), *_parked(parked), *_told(told)]
    if order is not None:
        life = _life(order, committed, told)
        steps += _without_row(life, committed, retention.rows)
        records = await records_of_key(bootstrap_servers, topic, key, since=life.began)
        steps += _published(life, records, retention.records)
    return sorted(steps, key=lambda step: (step.version, WITNESSES.index(step.where)))


def _life(order: asyncpg.Record, committed: list[asyncpg.Record], told: list[asyncpg.Record]) -> _Life:
    made = {1: order["created_at"], order["version"]: order["changed_at"]}
    made |= {row["version"]: row["moment"] for row in told}
    made |= {row["version"]: row["occurred_at"] for row in committed}
    return _Life(range(1, order["version"] + 1), made, began=order["created_at"], now=order["now"])


def _committed(rows: list[asyncpg.Record]) -> Iterator[Step]:
    for row in rows:
        yield Step(row["occurred_at"], row["version"], "loms", f"{row['type']} · seq {row['seq']} · xid {row['xid']}")
        if row["void_at"] is not None:
            yield Step(row["void_at"], row["version"], "loms", f"withdrawn by an operator · {row['void_reason']}")


def _without_row(life: _Life, rows: list[asyncpg.Record], retention: timedelta) -> Iterator[Step]:
    for version in life.lacked({row["version"] for row in rows}):
        gone = life.outlived(version, retention)
        what = f"transaction and row {_no_longer_kept(retention)}" if gone else "has no row · see onelane verify"
        yield Step(life.made.get(version), version, "loms", what)


def _published(life: _Life, records: list[KeyRecord], retention: timedelta) -> Iterator[Step]:
    for record in records:
        yield Step(record.at, record.version, "kafka", f"partition {record.partition} offset {record.offset}")
    for version in life.lacked({record.version for record in records}):
        if life.outlived(version, retention):
            yield Step(None, version, "kafka", f"record {_no_longer_kept(retention)}")


def _no_longer_kept(retention: timedelta) -> str:
    days = retention.total_seconds() / 86_400
    return f"no longer kept (retention {days:g} {'day' if days == 1 else 'days'})"


def _parked(rows: list[asyncpg.Record]) -> Iterator[Step]:
    for row in rows:
        yield Step(row["parked_at"], row["version"], "inbox", f"parked · {row['reason']} · see onelane inbox parked")


def _told(rows: list[asyncpg.Record]) -> Iterator[Step]:
    for row in rows:
        yield Step(row["planned_at"], row["version"], "inbox", f"applied · {row['status']}")
        if row["finished_at"] is not None:
            calls = f" · {row['attempts']} calls" if row["attempts"] else ""
            reason = f" · {row['reason']}" if row["reason"] else ""
            yield Step(row["finished_at"], row["version"], "telegram", f"{row['state']}{calls}{reason}")
