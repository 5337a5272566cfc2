"""Reads the notification service's ledger and what its inbox set aside."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from verification.facts import Ending, Noted, SetAside, State, number
from verification.statements import statement
from verification.witnesses.orders_database import connected

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import asyncpg

    from verification.spool import Spool
    from verification.tail import Tail

_NAME: Final = "the database of notifications"
_ROWS_AHEAD: Final = 5_000
_ASK_AGAIN_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Decisions:
    """Orders whose parked events an operator let go on, and partitions in which one moved the consumer."""

    released: frozenset[int] = frozenset()
    moved: frozenset[int] = frozenset()


class Ledger:
    """The database of notifications, seen by a reader; `consumer` is the name its inbox keeps its books under."""

    def __init__(self, *, dsn: str, topic: str, consumer: str) -> None:
        self._dsn = dsn
        self._topic = topic
        self._consumer = consumer

    async def wait_for(self, tail: Tail, *, seconds: float) -> None:
        """Wait until the youngest events have come to an end here, or the time is over."""
        events = [UUID(bytes=event) for event in tail.events]
        deadline = asyncio.get_running_loop().time() + seconds
        async with connected(self._dsn, _NAME) as connection:
            while events and asyncio.get_running_loop().time() < deadline:
                if await connection.fetchval(statement("ledger_finished"), events) >= len(events):
                    return
                await asyncio.sleep(_ASK_AGAIN_SECONDS)

    async def read(self, since: datetime, spool: Spool) -> None:
        """Spool every row planned since, and everything that is set aside."""
        async with connected(self._dsn, _NAME) as connection, connection.transaction(readonly=True):
            async for row in connection.cursor(statement("ledger_since"), since, prefetch=_ROWS_AHEAD):
                spool.add(_noted(row))
            async for row in connection.cursor(statement("parked"), self._consumer, self._topic, prefetch=_ROWS_AHEAD):
                with contextlib.suppress(ValueError):  # a stranger's key: no order of ours waits behind it
                    spool.add(SetAside(number(row["key"]), row["event_id"].bytes))

    async def positions(self) -> dict[int, int]:
        """Give the next offset of each partition, as the inbox's own tables say."""
        async with connected(self._dsn, _NAME) as connection:
            rows = await connection.fetch(statement("positions"), self._consumer, self._topic)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def decisions(self) -> Decisions:
        """Give what operators decided about the consumer, ever."""
        async with connected(self._dsn, _NAME) as connection:
            rows = await connection.fetch(statement("inbox_decisions"), self._consumer, self._topic)
        released = {int(row["key"]) for row in rows if row["action"] == "release" and row["key"].isdecimal()}
        return Decisions(frozenset(released), frozenset(row["partition"] for row in rows if row["action"] != "release"))

    async def rows_of(self, order_ids: Sequence[int]) -> list[Noted]:
        """Give every row of these orders, whenever planned."""
        async with connected(self._dsn, _NAME) as connection:
            rows = await connection.fetch(statement("ledger_of_orders"), list(order_ids))
        return [_noted(row) for row in rows]


def _noted(row: asyncpg.Record) -> Noted:
    return Noted(
        order_id=row["order_id"],
        version=row["version"],
        seq=row["seq"],
        event_id=row["event_id"].bytes,
        state=State[row["state"].upper()],
        card=Ending[row["card_step"].upper()],
        alert=Ending[row["alert_step"].upper()],
    )
