"""What commands ask a log, without joining any group."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime


class LogReader:
    """Bounds and times of partitions, and the cluster they lie in."""

    def __init__(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> None:
        self._consumer = consumer
        self._admin = admin

    async def cluster_id(self) -> str:
        """Return the id the cluster was formatted with."""
        return str((await self._admin.describe_cluster())["cluster_id"])

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first offset that can be read and the one the next record will get."""
        at = TopicPartition(topic, partition)
        return (await self._consumer.beginning_offsets([at]))[at], (await self._consumer.end_offsets([at]))[at]

    async def offset_at(self, topic: str, partition: int, moment: datetime) -> int | None:
        """Return the first offset at or after a moment; None when everything is older."""
        at = TopicPartition(topic, partition)
        found = (await self._consumer.offsets_for_times({at: int(moment.timestamp() * 1000)}))[at]
        return None if found is None else int(found.offset)


@asynccontextmanager
async def log_reader(bootstrap_servers: str, options: Mapping[str, Any] | None = None) -> AsyncIterator[LogReader]:
    """Connect for the length of a command."""
    client = {"bootstrap_servers": bootstrap_servers, **(options or {})}
    consumer = AIOKafkaConsumer(**client, group_id=None, isolation_level="read_committed")
    admin = AIOKafkaAdminClient(**client)
    try:
        await consumer.start()
        await admin.start()
        yield LogReader(consumer, admin)
    finally:
        await consumer.stop()
        await admin.close()
