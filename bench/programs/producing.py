"""Bare producing: one batch per partition, all partitions side by side, acks=all, nothing else."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer

_BATCH_BYTES_MAX = 1_000_000

Record = tuple[int, bytes, bytes, list[tuple[str, bytes]]]
"""Partition, key, body, headers."""


async def started_producer(bootstrap: str) -> AIOKafkaProducer:
    """An idempotent producer with the options of our relay's."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=_BATCH_BYTES_MAX,
    )
    await producer.start()
    return producer


async def produce(producer: AIOKafkaProducer, topic: str, records: Iterable[Record]) -> None:
    """Send the records and return when all are acknowledged; a partition's full batch is awaited before its next."""
    batches: dict[int, Any] = {}
    for partition, key, value, headers in records:
        batch = batches.get(partition)
        if batch is None:
            batch = batches[partition] = producer.create_batch()
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            await (await producer.send_batch(batch, topic, partition=partition))
            batch = batches[partition] = producer.create_batch()
            batch.append(timestamp=None, key=key, value=value, headers=headers)
    on_their_way = [await producer.send_batch(batch, topic, partition=each) for each, batch in batches.items()]
    await asyncio.gather(*on_their_way)
