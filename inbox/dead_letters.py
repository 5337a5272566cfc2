"""Records without a usable key: they cannot queue behind anything, so they go where people look."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inbox.event import Keyless

_REQUEST_MILLISECONDS_MAX = 10_000
_STOP_SECONDS_MAX = 3.0
_REQUEST_BYTES_MAX = 16 << 20
"""The topic's own limit decides, not the client's."""

log = logging.getLogger("inbox")


class DeadLetters(Protocol):
    """Takes a record away; returns only when it is durable there."""

    async def send(self, topic: str, keyless: Keyless, *, consumer: str) -> None:
        """Write the record, byte for byte, with its origin; a repeat after a crash carries the same origin."""
        ...

    async def close(self) -> None:
        """Give everything back; safe when nothing was ever sent."""
        ...


class KafkaDeadLetters:
    """Writes to Kafka with a producer that is started for the first dead letter, if there ever is one."""

    def __init__(self, *, bootstrap_servers: str, options: Mapping[str, Any]) -> None:
        self._settings = {
            "bootstrap_servers": bootstrap_servers,
            "request_timeout_ms": _REQUEST_MILLISECONDS_MAX,
            **options,
        }
        self._producer: AIOKafkaProducer | None = None
        self._one_at_a_time = asyncio.Lock()

    async def send(self, topic: str, keyless: Keyless, *, consumer: str) -> None:
        """Send one and wait until the brokers have it; raises what aiokafka raises, and takes a new producer then."""
        record = keyless.record
        async with self._one_at_a_time:
            producer = await self._started()
            try:
                await producer.send_and_wait(
                    topic, record.value, key=record.key, headers=[*record.headers, *_origin(keyless, consumer)]
                )
            except BaseException:
                await self.close()
                raise

    async def close(self) -> None:
        """Stop the producer, if there is one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stopped(producer)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._settings, acks="all", enable_idempotence=True, max_request_size=_REQUEST_BYTES_MAX
            )
            try:
                await producer.start()
            except BaseException:
                await _stopped(producer)
                raise
            self._producer = producer
        return self._producer


async def _stopped(producer: AIOKafkaProducer) -> None:
    """Stop a producer without waiting for brokers that do not answer: it would flush first."""
    try:
        async with asyncio.timeout(_STOP_SECONDS_MAX):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning("inbox.producer_stop_failed", extra={"error": type(error).__name__})


def _origin(keyless: Keyless, consumer: str) -> list[tuple[str, bytes]]:
    record = keyless.record
    return [
        ("origin_topic", record.topic.encode()),
        ("origin_partition", str(record.partition).encode()),
        ("origin_offset", str(record.offset).encode()),
        ("origin_timestamp", str(record.timestamp).encode()),
        ("origin_consumer", consumer.encode()),
        ("origin_reason", keyless.reason.encode()),
    ]
