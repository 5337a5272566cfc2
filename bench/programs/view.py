"""The view of the projection without Faust: its own handler behind a plain consumer, so that the difference is Faust.

Config: bootstrap, topic, partitions, events.
"""

import time
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.programs.parent import Config, Parent, run
from services.projection.consumers.order_events import OrderEvents, Record
from services.projection.service.projection import Projection

_BATCH_EVENTS_MAX = 500


class Unreadable(Exception):
    """A record of the log could not be read."""


class NoDeadLetters:
    """There are none in this log."""

    async def send(self, record: Record, reason: str) -> None:
        """Refuse."""
        raise Unreadable(reason, record)


async def main(config: Config, parent: Parent) -> None:
    """Read so many events and tell the processor time they took, the first fetch not counted."""
    projection = Projection()
    handle = OrderEvents(projection=projection, dead_letters=NoDeadLetters())
    consumer = AIOKafkaConsumer(bootstrap_servers=config["bootstrap"], enable_auto_commit=False)
    await consumer.start()
    partitions = [TopicPartition(config["topic"], number) for number in range(config["partitions"])]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    began, first, read = 0.0, 0, 0
    while read < config["events"]:
        for records in (await consumer.getmany(timeout_ms=1_000, max_records=_BATCH_EVENTS_MAX)).values():
            for record in records:
                await handle(_handed(record))
            read += len(records)
        if not first:
            began, first = time.process_time(), read
    parent.say("done", cpu_microseconds=(time.process_time() - began) / (read - first) * 1e6)
    await consumer.stop()


def _handed(record: Any) -> Record:
    return Record(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=dict(record.headers),
    )


if __name__ == "__main__":
    run(main)
