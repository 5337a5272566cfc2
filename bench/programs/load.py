"""The writer all contestants share: an open loop of transactions, each with one event; writes down every commit.

Config: dsn, statement, topic, first, probes, rate, seconds, writers, wake, out. At the first word it commits the probes
(one after the other, to warm the contestant and its own statements), at the second it runs for its seconds.
"""

import asyncio
import time
from typing import Any

import asyncpg

from bench.events import HEADERS, Sightings, order_of, payload
from bench.programs.parent import Config, Parent, run
from bench.statements import writer_statement
from outbox import Wake, uuid7

Writer = Any
"""A prepared statement of one connection."""


async def main(config: Config, parent: Parent) -> None:
    """Connect, probe, run, report how late the loop was."""
    connections = [await asyncpg.connect(config["dsn"]) for _ in range(config["writers"])]
    writers = [await each.prepare(writer_statement(config["statement"])) for each in connections]
    wake = Wake(config["dsn"]) if config["wake"] else None
    if wake is not None:
        await wake.start()
    load = _Load(config, writers, wake)
    parent.say("ready")
    await parent.word()
    await load.probe()
    parent.say("probed")
    await parent.word()
    late = sorted(await load.run())
    parent.say("written", late_p50_ms=late[len(late) // 2] * 1e3, late_p99_ms=late[len(late) * 99 // 100] * 1e3)
    load.commits.save(config["out"])
    await parent.word()
    if wake is not None:
        await wake.stop()
    for connection in connections:
        await connection.close()


class _Load:
    def __init__(self, config: Config, writers: list[Writer], wake: Wake | None) -> None:
        self._writers = writers
        self._topic = config["topic"]
        self._first = config["first"]
        self._probes = config["probes"]
        self._rate = config["rate"]
        self._count = int(config["rate"] * config["seconds"])
        self._wake = wake
        self.commits = Sightings()

    async def probe(self) -> None:
        for number in range(self._first, self._first + self._probes):
            await self._commit(self._writers[number % len(self._writers)], number)

    async def run(self) -> list[float]:
        """Returns by how much each commit came later than its turn, in seconds."""
        began = time.perf_counter() + 0.1
        lanes = [self._lane(index, began) for index in range(len(self._writers))]
        return [late for lane in await asyncio.gather(*lanes) for late in lane]

    async def _lane(self, index: int, began: float) -> list[float]:
        """The events of this writer's orders, each at its time or as soon after as the one before allows."""
        late: list[float] = []
        first = self._first + self._probes
        width = len(self._writers)
        for number in range(first + (index - first) % width, first + self._count, width):
            due = began + (number - first) / self._rate
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            await self._commit(self._writers[index], number)
            late.append(time.perf_counter() - due)
        return late

    async def _commit(self, writer: Writer, number: int) -> None:
        await writer.fetch(order_of(number), uuid7(), self._topic, HEADERS, payload(number))
        self.commits.add(number, time.monotonic_ns())
        if self._wake is not None:
            self._wake.set()


if __name__ == "__main__":
    run(main)
