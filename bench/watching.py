"""Watching a topic grow, from its end offsets alone: no consumer takes part of the machine while it is filled."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

_LOOK_SECONDS = 0.01


class NotFilled(Exception):
    """The topic did not grow as far as it should have."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Moments in seconds after the word was given: the last look without, the first with all records."""

    first_seconds: float
    last_seconds: float

    @property
    def span_seconds(self) -> float:
        """From the first record to the last."""
        return self.last_seconds - self.first_seconds


class Watch:
    """Looks at a topic's ends every 10 ms, from the moment it is made until it holds `rows` records more."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self._runner = asyncio.Runner()
        self._consumer = self._runner.run(_started(bootstrap))
        self._parts = [TopicPartition(topic, each) for each in range(partitions)]
        self.starts = {at.partition: end for at, end in self._ends().items()}

    def follow(self, rows: int, *, seconds_max: float) -> Growth:
        """Block until the records are there; call it at the moment the word is given."""
        return self._runner.run(self._follow(rows, seconds_max))

    def close(self) -> None:
        """End the watch."""
        self._runner.run(self._consumer.stop())
        self._runner.close()

    async def _follow(self, rows: int, seconds_max: float) -> Growth:
        began, first, target = time.monotonic(), 0.0, sum(self.starts.values()) + rows
        while True:
            looked = time.monotonic() - began
            reached = sum((await self._consumer.end_offsets(self._parts)).values())
            if reached >= target:
                return Growth(first, time.monotonic() - began)
            if reached == target - rows:
                first = looked
            if looked > seconds_max:
                raise NotFilled(f"{reached - target + rows} of {rows} records after {seconds_max:.0f} s")
            await asyncio.sleep(_LOOK_SECONDS)

    def _ends(self) -> dict[TopicPartition, int]:
        return dict(self._runner.run(self._consumer.end_offsets(self._parts)))


@contextmanager
def watching(bootstrap: str, topic: str, partitions: int) -> Iterator[Watch]:
    """A watch that is closed at the end."""
    watch = Watch(bootstrap, topic, partitions)
    try:
        yield watch
    finally:
        watch.close()


async def _started(bootstrap: str) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None)
    await consumer.start()
    return consumer
