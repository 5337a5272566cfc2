"""Records of the order topic as the relay writes them, for tests of whoever reads it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer

from events.order import v1

MOMENT = datetime(2026, 11, 21, 14, 3, tzinfo=UTC)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass(frozen=True, slots=True)
class Record:
    """What one record says beside its topic."""

    key: str
    value: bytes
    headers: dict[str, str]


def a_record(
    order_id: int,
    version: int,
    status: str,
    *,
    user_id: int = 7,
    items: int = 3,
    event_id: UUID | None = None,
    key: str | None = None,
    body: bytes | None = None,
    without: tuple[str, ...] = (),
    **headers: str,
) -> Record:
    """A status change on the wire; `without` leaves headers out."""
    all_headers = {
        "ce_specversion": "1.0",
        "ce_id": str(event_id or uuid4()),
        "ce_source": "loms",
        "ce_type": v1.type_of(status),
        "ce_time": "2026-11-21T14:03:00.000000Z",
        "ce_subject": str(order_id),
        "ce_sequence": str(version),
        "ce_userid": str(user_id),
        "ce_itemcount": str(items),
        "traceparent": TRACEPARENT,
        **headers,
    }
    value = v1.encode(v1.OrderStatusChanged(order_id, status, MOMENT)) if body is None else body
    kept = {name: text for name, text in all_headers.items() if name not in without}
    return Record(key=str(order_id) if key is None else key, value=value, headers=kept)


@asynccontextmanager
async def writing(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer for `write`."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def write(producer: AIOKafkaProducer, topic: str, *records: Record) -> None:
    """Append in this order; acknowledged when this returns."""
    acknowledgements = [
        await producer.send(
            topic,
            record.value,
            key=record.key.encode(),
            headers=[(name, text.encode()) for name, text in record.headers.items()],
            partition=0,
        )
        for record in records
    ]
    await asyncio.gather(*acknowledgements)
