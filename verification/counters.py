"""How far the status changes of a window have come: committed, published, applied, notified.

Each number is read at its own witness (the outbox, the topic, the ledger twice) and none is derived from another, so
that four equal numbers mean something. Only what was committed since the window opened is counted.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from verification.statements import statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

EVENT_ID_HEADER: Final = "ce_id"
FINAL_STATES: Final = frozenset({"delivered", "failed", "uncertain", "superseded", "no_subscriber"})
"""Ledger states nothing leaves by itself (the state picture of docs/architecture/notification.md)."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Status changes of the window at each witness; ``states`` counts the ledger's rows by state."""

    committed: int
    published: int
    applied: int
    notified: int
    states: Mapping[str, int]

    @property
    def equal(self) -> bool:
        """Whether everything committed has been published, applied and notified."""
        return self.committed == self.published == self.applied == self.notified


@dataclass(frozen=True, slots=True)
class Committed:
    """A status change in the outbox: ``key`` is the order id as the topic carries it."""

    event_id: UUID
    key: str
    version: int
    occurred_at: datetime


class Flow:
    """Follows a window that opens at ``start()``, from the databases and the topic, with a role that only reads."""

    def __init__(self, *, loms_dsn: str, notification_dsn: str, bootstrap_servers: str, topic: str) -> None:
        self._loms_dsn = loms_dsn
        self._notification_dsn = notification_dsn
        self._bootstrap_servers = bootstrap_servers
        self._topic = topic
        self._consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        self._published: set[UUID] = set()
        self._since: datetime | None = None

    async def start(self) -> None:
        """Open the window: now by the LOMS database's clock, and the topic's ends."""
        await self._consumer.start()
        for partition, offset in (await self._consumer.end_offsets(self._partitions())).items():
            self._consumer.seek(partition, offset)
        async with connected(self._loms_dsn) as connection:
            self._since = await connection.fetchval("select clock_timestamp()")

    async def stop(self) -> None:
        """Leave the topic."""
        await self._consumer.stop()

    @property
    def since(self) -> datetime:
        """When the window opened, by the LOMS database's clock."""
        if self._since is None:
            raise RuntimeError("the window opens at start()")
        return self._since

    async def read(self) -> Counters:
        """Read the four numbers now. The topic is read on from where the last call ended."""
        committed = {change.event_id for change in await self.committed()}
        await self._read_topic()
        states = await self._ledger_states(committed)
        return Counters(
            committed=len(committed),
            published=len(committed & self._published),
            applied=sum(states.values()),
            notified=sum(rows for state, rows in states.items() if state in FINAL_STATES),
            states=states,
        )

    async def committed(self) -> list[Committed]:
        """The status changes committed since the window opened."""
        async with connected(self._loms_dsn) as connection:
            rows = await connection.fetch(statement("committed_since"), self._topic, self.since)
        return [Committed(**row) for row in rows]

    def _partitions(self) -> list[TopicPartition]:
        numbers = self._consumer.partitions_for_topic(self._topic)
        if not numbers:
            raise LookupError(f"topic {self._topic} does not exist on {self._bootstrap_servers}")
        return [TopicPartition(self._topic, number) for number in numbers]

    async def _read_topic(self) -> None:
        """Up to the end the topic has now, not to one that moves while orders flow."""
        ends = await self._consumer.end_offsets(self._partitions())
        while [each for each, end in ends.items() if await self._consumer.position(each) < end]:
            for batch in (await self._consumer.getmany(timeout_ms=200)).values():
                self._published.update(_event_id(record.headers) for record in batch)

    async def _ledger_states(self, events: set[UUID]) -> dict[str, int]:
        async with connected(self._notification_dsn) as connection:
            rows = await connection.fetch(statement("ledger_states_of_events"), list(events))
        return {row["state"]: row["rows"] for row in rows}


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """One short-lived connection to a database somebody else owns."""
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        yield connection
    finally:
        await connection.close()


def _event_id(headers: Sequence[tuple[str, bytes]]) -> UUID:
    return UUID(dict(headers)[EVENT_ID_HEADER].decode())
