"""Records nobody can read go where people look, byte for byte, with their origin: each once, however often it is read.

Every start reads the whole topic again, so what already lies among the dead letters is looked up at the start.
"""

from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from events.topics import ORDER_EVENTS, catalogue
from services.projection.consumers.order_events import Record

CONSUMER = "projection"
_REASON_CHARS_MAX = 500
_POLL_MILLISECONDS = 200

Origin = tuple[bytes, bytes]
"""Partition and offset, as the headers say them."""


class KafkaDeadLetters:
    """A component: writes to the dead-letter topic of `loms.order-events`."""

    name = "dead letters"

    def __init__(self, *, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._topic = str(catalogue()[ORDER_EVENTS].dead_letters)
        self._known: set[Origin] = set()
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Read what is there, and connect."""
        self._known = await self._read()
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap_servers,
            acks="all",
            enable_idempotence=True,
            max_request_size=catalogue()[self._topic].max_message_bytes,
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Send what is on its way and disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def send(self, record: Record, reason: str) -> None:
        """Return when the brokers have it; one they have already is not sent again."""
        assert self._producer is not None  # noqa: S101 - for the type checker: components are started before records come
        origin = (str(record.partition).encode(), str(record.offset).encode())
        if origin in self._known:
            return
        headers = [*record.headers.items(), *_headers(record.topic, origin, reason)]
        await self._producer.send_and_wait(self._topic, record.value, key=record.key, headers=headers)
        self._known.add(origin)

    async def _read(self) -> set[Origin]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap_servers, enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = [TopicPartition(self._topic, n) for n in range(catalogue()[self._topic].partitions)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            found: set[Origin] = set()
            while not all([await consumer.position(at) >= ends[at] for at in partitions]):
                for records in (await consumer.getmany(timeout_ms=_POLL_MILLISECONDS)).values():
                    found |= _ours(records)
            return found
        finally:
            await consumer.stop()


def _headers(topic: str, origin: Origin, reason: str) -> list[tuple[str, bytes]]:
    return [
        ("origin_topic", topic.encode()),
        ("origin_partition", origin[0]),
        ("origin_offset", origin[1]),
        ("origin_consumer", CONSUMER.encode()),
        ("origin_reason", reason[:_REASON_CHARS_MAX].encode()),
    ]


def _ours(records: Sequence[Any]) -> set[Origin]:
    every = [dict(record.headers) for record in records]
    return {
        (headers["origin_partition"], headers["origin_offset"])
        for headers in every
        if headers.get("origin_consumer") == CONSUMER.encode()
    }
