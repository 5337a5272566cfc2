"""Asks the log who wrote a batch: the number the broker gave the producer, new for each producer that starts.

Consumers hide it, so the batch is fetched and opened here; meant for a few offsets, not for a topic.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords

from verification.witnesses.away import WitnessAway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_WAIT_MILLISECONDS: Final = 1_000
_BATCH_BYTES: Final = 1  # a broker gives at least one whole batch, however large


@asynccontextmanager
async def batch_writers(*, bootstrap_servers: str, topic: str) -> AsyncIterator[BatchWriters]:
    """Connect for a while; raises WitnessAway if the brokers are not there."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers)
    try:
        await client.bootstrap()
        await client.set_topics([topic])
        yield BatchWriters(client, topic)
    except KafkaError as error:
        raise WitnessAway("Kafka", str(error) or type(error).__name__) from error
    finally:
        await client.close()


class BatchWriters:
    """Knows a batch by any offset in it; asks once per offset."""

    def __init__(self, client: AIOKafkaClient, topic: str) -> None:
        self._client = client
        self._topic = topic
        self._known: dict[tuple[int, int], int | None] = {}

    async def of(self, partition: int, offset: int) -> int | None:
        """Give the producer of the batch that holds an offset: -1 had no number, None is a batch that is gone."""
        place = partition, offset
        if place not in self._known:
            self._known[place] = await self._ask(partition, offset)
        return self._known[place]

    async def _ask(self, partition: int, offset: int) -> int | None:
        leader = self._client.cluster.leader_for_partition(TopicPartition(self._topic, partition))
        wanted = [(self._topic, [(partition, offset, _BATCH_BYTES)])]
        request = FetchRequest(_WAIT_MILLISECONDS, 1, _BATCH_BYTES, 0, wanted)
        response = await self._client.send(leader, request)
        [(_, [(_, code, *_, packed)])] = response.topics
        if code:
            raise for_code(code)
        records = MemoryRecords(packed)
        batch = records.next_batch() if records.has_next() else None
        return None if batch is None else int(batch.producer_id)
