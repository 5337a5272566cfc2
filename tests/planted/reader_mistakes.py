"""Wrong parts that belong to one experiment each: readers by another order or bound, a publisher that queues ahead."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from outbox.kafka import KafkaPublisher, Lane
from outbox.publisher import Stamp
from outbox.rows import KEY, TOPIC, Row
from outbox.session import TRANSIENT, Session
from outbox.statements import statement
from outbox.tracing import Spans
from tests.planted.outbox_mistakes import WrongStatements, weakened

_READS = ("read_difference", "read_difference_and_running")


class ReadsByTransaction(WrongStatements):
    """In the order of transaction ids: who began first need not have written first."""

    texts: ClassVar = {
        name: f"select found.* from ({statement(name)}) as found left join outbox using (seq) "
        "order by found.seq is not null, outbox.xid"
        for name in _READS
    }


class WaitsForTheOldest(WrongStatements):
    """The xmin gate: nothing of a transaction younger than the oldest that runs, in whatever database."""

    texts: ClassVar = {
        name: weakened(
            name,
            "xid < pg_snapshot_xmax(pg_current_snapshot())",
            "xid < pg_snapshot_xmin(pg_current_snapshot())",
        )
        for name in _READS
    }


class ReadsBySystemXmin(WrongStatements):
    """By the row's system column: under a savepoint that is a subtransaction's id, which no snapshot lists."""

    texts: ClassVar = {
        name: weakened(name, "where xid", "where xmin::text::xid8")
        .replace("and xid <", "and xmin::text::xid8 <")
        .replace("visible_in_snapshot(xid,", "visible_in_snapshot(xmin::text::xid8,")
        for name in _READS
    }


@dataclass(slots=True)
class Memory:
    """What a reader keeps over a crash: `may` it connect again, and where its last snapshot ended."""

    may: asyncio.Event = field(default_factory=asyncio.Event)
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    read_up_to: int = 0


class RemembersThroughCrashes(Session):
    """Connects anew underneath, when it may, and tells nobody: what was read before a crash is stored after it."""

    _dsn: str
    _memory: Memory

    @classmethod
    async def with_memory(cls, memory: Memory, dsn: str, application_name: str) -> Self:
        """As Session.open."""
        opened = await cls.open(dsn, application_name)
        opened._dsn, opened._memory = dsn, memory
        return opened

    async def fetch(self, name: str, *args: Any) -> list[Any]:
        """As Session.fetch; the answer names the backend it always named."""
        try:
            rows = await super().fetch(name, *args)
        except TRANSIENT:
            await self._connect_anew()
            return await self.fetch(name, *args)
        if name in _READS:
            rows[0] = (*rows[0][:KEY], str(self.backend_pid), *rows[0][KEY + 1 :])
            self._memory.read_up_to = int(rows[0][TOPIC].split(":")[1])
        return rows

    async def fetchrow(self, name: str, *args: Any) -> Any:
        """As Session.fetchrow."""
        try:
            return await super().fetchrow(name, *args)
        except TRANSIENT:
            await self._connect_anew()
            return await self.fetchrow(name, *args)

    async def _connect_anew(self) -> None:
        await self._memory.may.wait()
        async with self._memory.connecting:
            if self._connection.is_closed():
                self._connection = (await Session.open(self._dsn, "anew"))._connection


class QueuesAhead(KafkaPublisher):
    """Several batches of a partition on their way: a refused one is passed by those behind it."""

    async def _send_lane(self, lane: Lane, rows: Sequence[Row], stamp: Stamp, spans: Spans) -> None:
        topic, partition = lane
        producer = await self._opened()
        answers = [
            await producer.send_batch(batch, topic, partition=partition)
            async for batch, _, _ in self._batches(topic, rows, stamp, spans)
        ]
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        for refused in (outcome for outcome in outcomes if isinstance(outcome, BaseException)):
            raise refused
