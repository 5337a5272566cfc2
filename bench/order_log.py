"""A log of order events as the relay writes them, the same for every part that reads one."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.programs.producing import Record, produce, started_producer
from bench.stand import Stand
from events.order import v1
from events.topics import ORDER_EVENTS
from inbox.policy import Limits
from outbox import uuid7
from outbox.murmur2 import partition_of

PEOPLE = 1_000
STATUSES = ("new", "awaiting payment", "paid")
"""What becomes of every order: an event each."""

_ROWS_PART = 6
_ROUND_ROWS = 5_000
_MOMENT = datetime(2026, 11, 21, 8, tzinfo=UTC)


def filled(stand: Stand) -> int:
    """Make the log, unless it is there; return of how many orders it tells: whole batches of the inbox."""
    batch_events = Limits().batch_events_max
    orders = max(2, stand.settings.rows // _ROWS_PART // batch_events // len(STATUSES)) * batch_events
    for topic in (ORDER_EVENTS, f"{ORDER_EVENTS}.dead"):
        stand.topic(topic)
    if not any(stand.ends(ORDER_EVENTS).values()):
        asyncio.run(_fill(stand, orders))
    return orders


async def _fill(stand: Stand, orders: int) -> None:
    producer = await started_producer(stand.kafka.bootstrap)
    records = list(_records(orders, stand.settings.partitions))
    for start in range(0, len(records), _ROUND_ROWS):
        await produce(producer, ORDER_EVENTS, records[start : start + _ROUND_ROWS])
    await producer.stop()


def _records(orders: int, partitions: int) -> Iterator[Record]:
    """As the relay writes them."""
    for version, status in enumerate(STATUSES, 1):
        for order in range(1, orders + 1):
            headers = {
                "ce_specversion": "1.0",
                "ce_source": "loms",
                "ce_id": str(uuid7()),
                "ce_type": v1.type_of(status),
                "ce_time": "2026-11-21T08:00:00.000000Z",
                "ce_subject": str(order),
                "ce_sequence": str(version),
                "ce_userid": str(1 + order % PEOPLE),
                "ce_itemcount": "3",
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            }
            body = v1.encode(v1.OrderStatusChanged(order, status, _MOMENT))
            texts = [(name, text.encode()) for name, text in headers.items()]
            yield partition_of(str(order), partitions), str(order).encode(), body, texts
