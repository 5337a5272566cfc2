"""Setting events aside by key, byte for byte as they came, and reading them back as if they had just arrived."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inbox.event import Arrival, read_under
from inbox.statements import statement
from inbox.watermark import Watermark

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]

REASON_CHARACTERS_MAX = 500
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record read back from the table."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


async def lock_watermarks(
    connection: Connection, consumer: str, topic: str, keys: Collection[str]
) -> dict[str, Watermark]:
    """Lock and return the watermarks of these keys, without their ids; a key never seen has none."""
    rows = await connection.fetch(statement("lock_watermarks"), consumer, topic, list(keys))
    return {key: Watermark(version, (), parked) for key, version, parked in rows}


async def read_tails(
    connection: Connection, consumer: str, topic: str, keys: Collection[str], marks: dict[str, Watermark]
) -> None:
    """Fill in the ids of these locked keys, which only an event of an old version is compared with."""
    for key, ids in await connection.fetch(statement("read_tails"), consumer, topic, list(keys)):
        marks[key] = marks[key]._replace(event_ids=tuple(ids))


async def store_watermarks(connection: Connection, consumer: str, topic: str, marks: Mapping[str, Watermark]) -> None:
    """Store the changed watermarks of a batch; ids that were not read stay behind those that are given."""
    keys = sorted(marks)
    await connection.execute(
        statement("store_watermarks"),
        consumer,
        topic,
        keys,
        [marks[key].version for key in keys],
        ["{" + ",".join(map(str, marks[key].event_ids)) + "}" for key in keys],
        [marks[key].parked for key in keys],
    )


async def park(
    connection: Connection, consumer: str, topic: str, partition: int, entries: Sequence[tuple[Arrival, str]]
) -> set[UUID]:
    """Set events aside with their reasons; returns the ids of those that were not aside already."""
    arrivals = [arrival for arrival, _ in entries]
    rows = await connection.fetch(
        statement("park"),
        consumer,
        topic,
        partition,
        [arrival.key for arrival in arrivals],
        [arrival.version for arrival in arrivals],
        [arrival.event_id for arrival in arrivals],
        [arrival.record.offset for arrival in arrivals],
        [arrival.event.type if arrival.event else None for arrival in arrivals],
        [encode_headers(arrival.record.headers) for arrival in arrivals],
        [arrival.record.value for arrival in arrivals],
        [storable(reason) for _, reason in entries],
    )
    return {row["event_id"] for row in rows}


async def waiting(
    connection: Connection, consumer: str, topic: str, keys: Collection[str], *, versioned: bool
) -> dict[str, list[Arrival]]:
    """Return all that is parked of these keys, in the order in which it is to be applied."""
    found: dict[str, list[Arrival]] = {key: [] for key in keys}
    for row in await connection.fetch(statement("waiting"), consumer, topic, list(keys)):
        found[row["key"]].append(_arrival(dict(row), topic, versioned=versioned))
    return found


async def unpark(connection: Connection, consumer: str, topic: str, arrivals: Sequence[Arrival]) -> None:
    """Forget parked events, because this very transaction applies or drops them."""
    keys = [arrival.key for arrival in arrivals]
    await connection.execute(statement("unpark"), consumer, topic, keys, [arrival.event_id for arrival in arrivals])


async def parked_keys(connection: Connection, consumer: str, topic: str) -> int:
    """Count the keys of a topic that wait."""
    return int(await connection.fetchval(statement("count_parked"), consumer, topic))


def encode_headers(headers: Sequence[tuple[str, bytes | None]]) -> str:
    """Write headers as JSON: [name, text], or [name, null, base64] for what is no text; order and repeats stay."""
    return json.dumps([_encoded(name, value) for name, value in headers])


def decode_headers(text: str) -> list[tuple[str, bytes | None]]:
    """Read back exactly what `encode_headers` was given."""
    return [_decoded(*entry) for entry in json.loads(text)]


def storable(text: str) -> str:
    """Return the text as Postgres can store it: no NUL, nothing UTF-8 cannot say, and not too long."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text[:REASON_CHARACTERS_MAX])


def _encoded(name: str, value: bytes | None) -> list[str | None]:
    if value is None:
        return [storable(name), None]
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text:
        return [storable(name), None, base64.b64encode(value).decode()]
    return [storable(name), text]


def _decoded(name: str, text: str | None, encoded: str | None = None) -> tuple[str, bytes | None]:
    if encoded is not None:
        return name, base64.b64decode(encoded)
    return name, None if text is None else text.encode()


def _arrival(row: Mapping[str, Any], topic: str, *, versioned: bool) -> Arrival:
    record = ParkedRecord(
        topic=topic,
        partition=row["partition"],
        offset=row["offset"],
        timestamp=0,
        key=row["key"].encode(),
        value=row["payload"],
        headers=decode_headers(row["headers"]),
    )
    return read_under(row["key"], record, versioned=versioned)
