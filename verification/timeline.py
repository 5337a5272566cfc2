"""One order's whole story: committed, published, applied, told; each step read where it happened.

Outbox rows and records are kept for their retention only; the ledger's rows stay. What is gone is simply not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from verification.counters import connected
from verification.records import records_of_key
from verification.statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import asyncpg

ORDER_EVENTS: Final = "loms.order-events"
CONSUMER: Final = "notification"
WITNESSES: Final = ("loms", "kafka", "inbox", "telegram")
"""Where a status change passes, in this order; the clocks of two of them may differ by more than it takes."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to version ``version`` of the order, at ``at``; ``where`` names the witness."""

    at: datetime
    version: int
    where: str
    what: str

    def as_json(self) -> dict[str, Any]:
        """The step in the command's stable schema."""
        return {"at": self.at.isoformat(), "version": self.version, "where": self.where, "what": self.what}


async def read_timeline(order_id: int, *, loms_dsn: str, notification_dsn: str, bootstrap_servers: str) -> list[Step]:
    """Every known step of an order, version by version, witness by witness; empty for an order nobody knows."""
    async with connected(loms_dsn) as connection:
        committed = await connection.fetch(statement("timeline_outbox"), ORDER_EVENTS, str(order_id))
    async with connected(notification_dsn) as connection:
        told = await connection.fetch(statement("timeline_ledger"), order_id)
        parked = await connection.fetch(statement("timeline_parked"), CONSUMER, ORDER_EVENTS, str(order_id))
    steps = [*_committed(committed), *_parked(parked), *_told(told)]
    if committed:
        steps += await _published(order_id, bootstrap_servers, since=committed[0]["occurred_at"])
    return sorted(steps, key=lambda step: (step.version, WITNESSES.index(step.where)))


def _committed(rows: list[asyncpg.Record]) -> Iterator[Step]:
    for row in rows:
        yield Step(row["occurred_at"], row["version"], "loms", f"{row['type']} · seq {row['seq']} · xid {row['xid']}")
        if row["void_at"] is not None:
            yield Step(row["void_at"], row["version"], "loms", f"withdrawn by an operator · {row['void_reason']}")


async def _published(order_id: int, bootstrap_servers: str, *, since: datetime) -> list[Step]:
    found = await records_of_key(bootstrap_servers, ORDER_EVENTS, str(order_id), since=since)
    return [
        Step(record.at, record.version, "kafka", f"partition {record.partition} offset {record.offset}")
        for record in found
    ]


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
