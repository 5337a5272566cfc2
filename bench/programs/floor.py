"""The bare floor of latency: a wake, one indexed read of what is new, one acknowledged produce.

No relay could do less; this one is wrong (it skips transactions that commit late) and knows neither lease nor crash.
Config: dsn, bootstrap, topic, partitions, acks.
"""

import asyncio
import time
from typing import Any

import asyncpg

from bench.events import Sightings, number_of
from bench.programs.parent import Config, Parent, run
from bench.programs.polling import Rest
from bench.programs.producing import Record, produce, started_producer
from bench.statements import statement
from outbox.murmur2 import partition_of

_ROWS_MAX = 5_000


async def main(config: Config, parent: Parent) -> None:
    """Be ready, run at the first word, stop at the second."""
    producer = await started_producer(config["bootstrap"])
    connection = await asyncpg.connect(config["dsn"], server_settings={"application_name": "bench-floor"})
    rest = Rest()
    await connection.add_listener("outbox", lambda *_: rest.heard.set())
    floor = _Floor(connection, producer, config, last=await connection.fetchval(statement("floor_last")))
    parent.say("ready")
    await parent.word()
    turning = asyncio.create_task(floor.turns(rest))
    await parent.word()
    turning.cancel()
    await asyncio.gather(turning, return_exceptions=True)
    await producer.stop()
    await connection.close()
    floor.acks.save(config["acks"])


class _Floor:
    def __init__(self, connection: "asyncpg.Connection[Any]", producer: Any, config: Config, *, last: int) -> None:
        self._connection = connection
        self._producer = producer
        self._topic = config["topic"]
        self._partitions = config["partitions"]
        self._last = last
        self.acks = Sightings()

    async def turns(self, rest: Rest) -> None:
        while True:
            rest.heard.clear()
            await rest.take(found=await self._turn() > 0)

    async def _turn(self) -> int:
        rows = await self._connection.fetch(statement("floor_read"), self._last, _ROWS_MAX)
        if rows:
            self._last = rows[-1]["seq"]
            await produce(self._producer, self._topic, map(self._record, rows))
            now = time.monotonic_ns()
            for row in rows:
                self.acks.add(number_of(row["payload"]), now)
        return len(rows)

    def _record(self, row: Any) -> Record:
        return partition_of(row["key"], self._partitions), row["key"].encode(), row["payload"], []


if __name__ == "__main__":
    run(main)
