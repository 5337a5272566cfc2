"""Records without a usable key: they cannot queue behind anything, so they go where people look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from aiokafka import AIOKafkaProducer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inbox.event import Keyless

_REQUEST_BYTES_MAX = 16 << 20
"""The topic's own limit decides, not the client's."""


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
        self._settings = {"bootstrap_servers": bootstrap_servers, **options}
        self._producer: AIOKafkaProducer | None = None

    async def send(self, topic: str, keyless: Keyless, *, consumer: str) -> None:
        """Send one and wait until the brokers have it; raises what aiokafka raises."""
        producer = await self._started()
        record = keyless.record
        await producer.send_and_wait(
            topic, record.value, key=record.key, headers=[*record.headers, *_origin(keyless, consumer)]
        )

    async def close(self) -> None:
        """Stop the producer, if there is one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._settings, acks="all", enable_idempotence=True, max_request_size=_REQUEST_BYTES_MAX
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer


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
