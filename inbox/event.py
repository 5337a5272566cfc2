"""A Kafka record read as an event: the envelope is checked here, the body never.

Invariants:
- every record has an identity, even one whose headers are broken, so that it can be recognised when it comes again;
- a record is either an event, an unreadable record of a known key (that key is parked), or has no usable key at all;
- what was received stays reachable byte for byte: nothing that is set aside is a translation.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol
from uuid import UUID, uuid5

from asyncpg.pgproto import pgproto

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY_BYTES_MAX = 1024
"""A longer key would not fit the index of the watermarks; no sensible aggregate id comes near."""

VERSION_MAX = 2**63 - 1
_VERSION_DIGITS_MAX = len(str(VERSION_MAX))
VOID_TYPE = "outbox.void"
"""The type of a record without a body that stands for an event an operator withdrew."""

_UNNAMED = UUID("5f0b8a52-6c0f-4b61-9d0c-0c4c7d1c5a11")
_TYPE_CHARACTERS_MAX = 200


class Record(Protocol):
    """What the log hands over; aiokafka's ConsumerRecord fits as it is."""

    @property
    def topic(self) -> str:
        """The topic it lies in."""
        ...

    @property
    def partition(self) -> int:
        """The partition it lies in."""
        ...

    @property
    def offset(self) -> int:
        """Its place in the partition."""
        ...

    @property
    def timestamp(self) -> int:
        """When it was appended, or made, in milliseconds since the epoch."""
        ...

    @property
    def key(self) -> bytes | None:
        """The key, as it came."""
        ...

    @property
    def value(self) -> bytes | None:
        """The body, as it came."""
        ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """The headers, in order, with repeats."""
        ...


class Headers(Mapping[str, str]):
    """The headers of a record as text; each is decoded when somebody looks. One without a value is as if absent."""

    __slots__ = ("_received",)

    def __init__(self, received: Mapping[str, bytes]) -> None:
        self._received = received

    def __getitem__(self, name: str) -> str:
        """Return one as text; bytes that are none become replacement characters."""
        return self._received[name].decode("utf-8", "replace")

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._received)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._received)


class Event(NamedTuple):
    """One event as a handler sees it.

    `version` is dense per key where the topic has versions, else None. `headers` shows every header as text;
    `headers["traceparent"]` is the consumer span of this very event, so that a handler may store it.
    """

    topic: str
    partition: int
    offset: int
    key: str
    version: int | None
    event_id: UUID
    type: str
    occurred_at: datetime
    headers: Mapping[str, str]
    payload: bytes


class Arrival(NamedTuple):
    """A record of a known key: either it carries an event, or `fault` says why it cannot be read."""

    key: str
    version: int | None
    event_id: UUID
    fault: str | None
    event: Event | None
    record: Record

    @property
    def void(self) -> bool:
        """Whether an operator withdrew this event: it counts, but no handler sees it."""
        return self.event is not None and self.event.type == VOID_TYPE and not self.event.payload


@dataclass(frozen=True, slots=True)
class Keyless:
    """A record nobody can queue behind anything, because its key cannot be used."""

    event_id: UUID
    reason: str
    record: Record


class _Broken(Exception):
    """An envelope that cannot be read; the text says which part and why."""


def read(record: Record, *, versioned: bool) -> Arrival | Keyless:
    """Read the envelope of a record; never raises, whatever the bytes are."""
    try:
        key = _key(record.key)
    except _Broken as broken:
        return Keyless(event_id=identity(record), reason=str(broken), record=record)
    return read_under(key, record, versioned=versioned)


def read_under(key: str, record: Record, *, versioned: bool) -> Arrival:
    """Read the envelope of a record whose key is known to be usable; never raises."""
    try:
        event = _event(record, key, _present(record.headers), versioned=versioned)
    except _Broken as broken:
        return Arrival(key, None, identity(record), str(broken), None, record)
    return Arrival(key, event.version, event.event_id, None, event, record)


def identity(record: Record) -> UUID:
    """Name a record: its event id, or, when it carries none, one derived from its place and its bytes."""
    try:
        return _event_id(_present(record.headers))
    except _Broken:
        content = zlib.crc32(record.value or b"", zlib.crc32(record.key or b""))
        return uuid5(_UNNAMED, f"{record.topic}/{record.partition}/{record.offset}/{content}")


def _event(record: Record, key: str, headers: Mapping[str, bytes], *, versioned: bool) -> Event:
    return Event(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=key,
        version=_version(headers) if versioned else None,
        event_id=_event_id(headers),
        type=_type(headers),
        occurred_at=_occurred_at(headers),
        headers=Headers(headers),
        payload=record.value or b"",
    )


def _present(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, bytes]:
    return {name: value for name, value in headers if value is not None}


def _key(key: bytes | None) -> str:
    if not key:
        raise _Broken("no key")
    if len(key) > KEY_BYTES_MAX:
        raise _Broken(f"key of {len(key)} bytes, at most {KEY_BYTES_MAX}")
    try:
        text = key.decode()
    except UnicodeDecodeError:
        raise _Broken("key is not UTF-8") from None
    if "\x00" in text:
        raise _Broken("key contains NUL")
    return text


def _required(headers: Mapping[str, bytes], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise _Broken(f"header {name} is missing")
    return value.decode("utf-8", "replace")


def _event_id(headers: Mapping[str, bytes]) -> UUID:
    value = _required(headers, "ce_id")
    try:
        return pgproto.UUID(value)
    except ValueError:
        return _event_id_spelled_otherwise(value)


def _event_id_spelled_otherwise(value: str) -> UUID:
    """Accept what `uuid` does and Postgres's class does not, such as `urn:uuid:`."""
    try:
        return UUID(value)
    except ValueError:
        raise _Broken("header ce_id is not a UUID") from None


def _version(headers: Mapping[str, bytes]) -> int:
    value = _required(headers, "ce_sequence")
    if not (value.isascii() and value.isdigit() and len(value) <= _VERSION_DIGITS_MAX):
        raise _Broken("header ce_sequence is not a positive decimal number")
    version = int(value)
    if not 1 <= version <= VERSION_MAX:
        raise _Broken(f"header ce_sequence is not in 1..{VERSION_MAX}")
    return version


def _type(headers: Mapping[str, bytes]) -> str:
    value = _required(headers, "ce_type")
    if len(value) > _TYPE_CHARACTERS_MAX or "\x00" in value:
        raise _Broken("header ce_type is not a name")
    return value


def _occurred_at(headers: Mapping[str, bytes]) -> datetime:
    value = _required(headers, "ce_time")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise _Broken("header ce_time is not RFC 3339") from None
    if moment.tzinfo is None:
        raise _Broken("header ce_time has no zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _Broken("header ce_time is no moment of the years 1 to 9999 in UTC") from None
