"""Our Kafka publisher, which writes down when each event was acknowledged."""

import time
from collections.abc import Sequence

from bench.events import Sightings, number_of
from outbox.publisher import Publisher, Stamp
from outbox.rows import PAYLOAD, Row


class Acknowledged:
    """A publisher around the real one."""

    def __init__(self, publisher: Publisher, sightings: Sightings) -> None:
        self._publisher = publisher
        self._sightings = sightings

    async def open(self) -> None:
        """As Publisher.open."""
        await self._publisher.open()

    async def publish(self, rows: Sequence[Row], stamp: Stamp) -> None:
        """As Publisher.publish."""
        await self._publisher.publish(rows, stamp)
        now = time.monotonic_ns()
        for row in rows:
            self._sightings.add(number_of(row[PAYLOAD]), now)

    async def discard(self) -> None:
        """As Publisher.discard."""
        await self._publisher.discard()
