"""Taking a partition: outside the rebalance callback, in the database first, then compared with the log, then sought.

A position that does not fit the log (another cluster, a recreated topic, records that retention took away) is written
down and refused by name: reading on would skip or repeat without a trace.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from inbox import metrics
from inbox.errors import PositionNeedsReset
from inbox.event import identity
from inbox.fence import Hold, own, refuse
from inbox.source import PositionLost
from inbox.statements import statement

if TYPE_CHECKING:
    from uuid import UUID

    from aiokafka import TopicPartition

    from inbox.connections import Connections
    from inbox.event import Record
    from inbox.source import Source

_READ_SECONDS_MAX = 5.0
_BEYOND_LOOKS = 6
_BEYOND_LOOK_SECONDS = 0.5
"""A new leader may know an older end of the log for a moment: look again before calling the position impossible."""

log = logging.getLogger("inbox")


class Ownership:
    """Takes partitions for one consumer, in the name of one running process."""

    def __init__(self, *, consumer: str, owner: UUID, source: Source, connections: Connections) -> None:
        self.consumer = consumer
        self._owner = owner
        self._source = source
        self._connections = connections

    async def take(self, at: TopicPartition) -> Hold:
        """Own the partition and stand at its position, ready to poll; raises PositionNeedsReset."""
        cluster_id = await self._source.cluster_id()
        log_start, _ = await self._source.bounds(at)
        async with self._connections.take() as connection:
            hold = await own(
                connection,
                consumer=self.consumer,
                at=at,
                owner=self._owner,
                log_start=log_start,
                cluster_id=cluster_id,
            )
        why = hold.needs_reset or await self._misfit(hold, cluster_id)
        if why is not None:
            await self._refuse(hold, why)
        metrics.OWNED.labels(self.consumer, at.topic).inc()
        log.info("inbox.owned", extra={"topic": at.topic, "partition": at.partition, "epoch": hold.epoch})
        return hold

    async def taken_by_another(self, at: TopicPartition) -> bool:
        """Tell whether some other process holds the partition now."""
        async with self._connections.take() as connection:
            owner = await connection.fetchval(statement("owner"), self.consumer, at.topic, at.partition)
        return owner is not None and owner != self._owner

    async def _misfit(self, hold: Hold, cluster_id: str) -> str | None:
        """Say why the position does not fit the log, or stand there and return None."""
        if hold.cluster_id != cluster_id:
            return f"the position belongs to cluster {hold.cluster_id}, this is {cluster_id}"
        start, end = await self._bounds_around(hold)
        if not start <= hold.next_offset <= end:
            return f"the position {hold.next_offset} lies outside the log, which holds {start} to {end}"
        if hold.next_offset == start or hold.last_event_id is None:
            self._source.seek(hold.at, hold.next_offset)
            return None
        self._source.seek(hold.at, hold.next_offset - 1)
        before = await self._read_one(hold.at)
        if before.offset != hold.next_offset - 1:
            return f"the last applied record, at {hold.next_offset - 1}, is gone while older ones are there"
        if identity(before) != hold.last_event_id:
            return f"the record at {hold.next_offset - 1} is not the one applied last: the topic was made anew"
        return None

    async def _bounds_around(self, hold: Hold) -> tuple[int, int]:
        start, end = await self._source.bounds(hold.at)
        for _ in range(_BEYOND_LOOKS):
            if hold.next_offset <= end:
                break
            await asyncio.sleep(_BEYOND_LOOK_SECONDS)
            start, end = await self._source.bounds(hold.at)
        return start, end

    async def _read_one(self, at: TopicPartition) -> Record:
        records = await self._source.poll(at, records_max=1, seconds_max=_READ_SECONDS_MAX)
        if not records:
            raise PositionLost(f"{at.topic}/{at.partition}: the last applied record could not be read in time")
        return records[0]

    async def _refuse(self, hold: Hold, why: str) -> None:
        if hold.needs_reset is None:
            async with self._connections.take() as connection:
                await refuse(connection, hold, why)
        raise PositionNeedsReset(self.consumer, hold.at.topic, hold.at.partition, why)
