"""The classic relay, well written: a status column, SKIP LOCKED, whole batches to Kafka, one update per batch.

Config: dsn, bootstrap, topic, partitions; acks (optional) = where to write the moments of acknowledgement.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import asyncpg

from bench.events import Sightings, number_of
from bench.programs.parent import Config, Parent, run
from bench.programs.polling import Rest
from bench.programs.producing import Record, produce, started_producer
from bench.statements import statement
from outbox.murmur2 import partition_of
from outbox.records import rfc3339

_ROWS_MAX = 5_000
_FIXED: list[tuple[str, bytes]] = [
    ("ce_specversion", b"1.0"),
    ("ce_source", b"bench"),
    ("content-type", b"application/json"),
]


async def main(config: Config, parent: Parent) -> None:
    """Be ready, run at the first word, stop at the second."""
    producer = await started_producer(config["bootstrap"])
    connection = await asyncpg.connect(config["dsn"], server_settings={"application_name": "bench-classic"})
    sightings = Sightings()
    parent.say("ready")
    await parent.word()
    stopping = asyncio.Event()
    turning = asyncio.create_task(_turns(connection, producer, config, sightings, stopping))
    await parent.word()
    stopping.set()  # what is published shall be marked, or the next turn would repeat it
    await turning
    await producer.stop()
    await connection.close()
    if "acks" in config:
        sightings.save(config["acks"])


async def _turns(
    connection: "asyncpg.Connection[Any]",
    producer: Any,
    config: Config,
    sightings: Sightings,
    stopping: asyncio.Event,
) -> None:
    rest = Rest()
    while not stopping.is_set():
        rows = await _turn(connection, producer, config)
        now = time.monotonic_ns()
        if "acks" in config:
            for row in rows:
                sightings.add(number_of(row["payload"]), now)
        if len(rows) < _ROWS_MAX:
            await rest.take(found=bool(rows))


async def _turn(connection: "asyncpg.Connection[Any]", producer: Any, config: Config) -> Sequence[Any]:
    """Claim, publish, mark: one transaction."""
    async with connection.transaction():
        rows = await connection.fetch(statement("classic_claim"), _ROWS_MAX)
        if rows:
            await produce(producer, config["topic"], _records(rows, config["partitions"]))
            await connection.execute(statement("classic_mark"), [row["id"] for row in rows])
    return rows


def _records(rows: Sequence[Any], partitions: int) -> Iterator[Record]:
    for row in rows:
        key = row["key"].encode()
        headers = [
            *_FIXED,
            ("ce_id", str(row["event_id"]).encode()),
            ("ce_type", row["type"].encode()),
            ("ce_time", rfc3339(row["occurred_at"])),
            ("ce_subject", key),
            ("ce_sequence", b"%d" % row["version"]),
            *((name, value.encode()) for name, value in json.loads(row["headers"]).items()),
        ]
        yield partition_of(row["key"], partitions), key, row["payload"], headers


if __name__ == "__main__":
    run(main)
