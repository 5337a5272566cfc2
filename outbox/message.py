"""What an application says: a message, and what the library must know about its topic.

Invariants: a message is immutable; a versioned topic counts 1, 2, 3 … per key; key, type, headers and payload together
stay so far below the topic's `max.message.bytes` that the relay's own headers always fit.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from outbox import errors

RELAY_HEADERS = frozenset(
    {
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_subject",
        "ce_sequence",
        "content-type",
        "outbox_seq",
        "outbox_history",
        "outbox_epoch",
    }
)
"""Written by the relay from the row; `traceparent` is the one it replaces with its own."""

RELAY_OVERHEAD_BYTES = 1_024
"""More than the relay's headers and the record's framing ever take beyond key, type, subject, source and extras."""

MAX_MESSAGE_BYTES_DEFAULT = 1_048_588
"""Kafka's own default of `max.message.bytes`."""

VOID_TYPE = "outbox.void"
"""The relay's: a record without a body in the place of an event that was withdrawn."""

_KEY_BYTES_MAX = 1_024
_TYPE_CHARACTERS_MAX = 200
"""Consumers set aside what is longer: both stand in keys of their indexes."""

_VERSION_MAX = 2**63 - 1
_HEADER_FRAMING_BYTES = 10
"""Two lengths, each of five bytes at most."""

_TEXT = "must be text"
_TOPIC_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}").fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One fact on its way out.

    Attributes:
        topic: the Kafka topic.
        key: the Kafka key, e.g. the order id in decimal; messages of one key stay in order.
        type: what happened, e.g. `order.paid`; becomes `ce_type`.
        payload: the body, exactly as consumers will see it.
        version: dense per (topic, key): 1, 2, 3 …, taken from the aggregate's row under its lock; None where the topic
            has no versions.
        headers: `traceparent`, `ce_userid` and rare extras; they become Kafka headers as they are.
        event_id: made by the writer when None.
        occurred_at: the moment of the fact, aware; the database's clock at the insert when None.
    """

    topic: str
    key: str
    type: str
    payload: bytes
    version: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    event_id: UUID | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TopicRule:
    """What append and relay know about a topic.

    Attributes:
        name: the topic.
        versioned: whether its messages carry dense versions per key.
        max_bytes: the topic's `max.message.bytes`.
        source: `ce_source` of its events; the relay's own when empty.
        content_type: the `content-type` header of its events.
    """

    name: str
    versioned: bool
    max_bytes: int = MAX_MESSAGE_BYTES_DEFAULT
    source: str = ""
    content_type: str = "application/json"

    def __post_init__(self) -> None:
        refuse_impossible_topic(self.name)
        if self.max_bytes <= RELAY_OVERHEAD_BYTES:
            raise errors.FieldRefused("max_bytes", self.max_bytes, f"must be above {RELAY_OVERHEAD_BYTES:,}")


def size_bytes(message: Message) -> int:
    """What the message takes in a record beside the relay's fixed headers; the key counts twice (`ce_subject`).

    Raises:
        errors.FieldRefused: a text that is none, or that Postgres or UTF-8 cannot hold.
    """
    size = len(message.payload)
    for name, value in message.headers.items():
        size += _bytes_of("header name", name) + _bytes_of(name, value) + _HEADER_FRAMING_BYTES
    return size + 2 * _bytes_of("key", message.key) + _bytes_of("type", message.type)


def refuse_malformed(message: Message) -> None:
    """Raise what is wrong with a message whatever its topic; the texts themselves are looked at by `size_bytes`."""
    _refuse_names(message, message.key, message.type)
    if message.version is not None:
        _refuse_version(message, message.version)
    if message.payload.__class__ is not bytes and not isinstance(message.payload, (bytes, bytearray)):
        raise errors.FieldRefused("payload", message.payload, "must be bytes")
    if message.headers:
        _refuse_headers(message, message.headers)
    if message.occurred_at is not None or message.event_id is not None:
        _refuse_identity(message)


def refuse_impossible_topic(topic: str) -> None:
    """Raise where Kafka could never have a topic of that name."""
    if not isinstance(topic, str) or not _TOPIC_NAME(topic) or topic in {".", ".."}:
        raise errors.FieldRefused("topic", topic, "1 to 249 letters, digits, dots, underscores or hyphens of ASCII")


def refuse_oversize(message: Message, max_bytes: int, source: str = "") -> None:
    """Raise when the record could not fit a batch of the topic's largest size."""
    limit = max_bytes - RELAY_OVERHEAD_BYTES - len(source.encode())
    size = size_bytes(message)
    if size > limit:
        raise errors.MessageTooLarge(message.topic, message.key, size, limit)


def refuse_against(rule: TopicRule, message: Message) -> None:
    """Raise what is wrong with a message for this topic."""
    if rule.versioned and message.version is None:
        raise errors.VersionMissing(message.topic, message.key)
    if not rule.versioned and message.version is not None:
        raise errors.VersionUnexpected(message.topic, message.key, message.version)
    refuse_oversize(message, rule.max_bytes, rule.source)


def _bytes_of(field_name: str, text: str) -> int:
    """How many bytes a text takes."""
    if not isinstance(text, str):
        raise errors.FieldRefused(field_name, text, _TEXT)
    if "\0" in text:
        raise errors.FieldRefused(field_name, text, "holds a NUL, which PostgreSQL cannot")
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError as cause:
        raise errors.FieldRefused(field_name, text, "holds half of a character, which UTF-8 cannot") from cause


def _refuse_names(message: Message, key: str, kind: str) -> None:
    if not isinstance(key, str):
        raise errors.FieldRefused("key", key, _TEXT)
    if not isinstance(kind, str):
        raise errors.FieldRefused("type", kind, _TEXT)
    if not key:
        raise errors.EmptyKey(message.topic)
    if not kind:
        raise errors.EmptyType(message.topic, key)
    if len(key) > _KEY_BYTES_MAX // 4 and len(key.encode(errors="replace")) > _KEY_BYTES_MAX:
        raise errors.FieldRefused("key", key, f"at most {_KEY_BYTES_MAX:,} bytes, or no inbox takes it")
    if len(kind) > _TYPE_CHARACTERS_MAX:
        raise errors.FieldRefused("type", kind, f"at most {_TYPE_CHARACTERS_MAX} characters, or no inbox takes it")
    if kind == VOID_TYPE:
        raise errors.FieldRefused("type", kind, "stands for an event an operator withdrew")


def _refuse_version(message: Message, version: int) -> None:
    if not isinstance(version, int) or isinstance(version, bool):
        raise errors.FieldRefused("version", version, "must be a whole number")
    if version < 1:
        raise errors.VersionBelowOne(message.topic, message.key, version)
    if version > _VERSION_MAX:
        raise errors.FieldRefused("version", version, f"at most {_VERSION_MAX}")


def _refuse_headers(message: Message, headers: Mapping[str, str]) -> None:
    if headers.__class__ is not dict and not isinstance(headers, Mapping):
        raise errors.FieldRefused("headers", headers, "must be a mapping of text to text")
    if not RELAY_HEADERS.isdisjoint(headers):
        raise errors.ReservedHeader(message.topic, message.key, min(RELAY_HEADERS.intersection(headers)))


def _refuse_identity(message: Message) -> None:
    moment, event_id = message.occurred_at, message.event_id
    if moment is not None and (not isinstance(moment, datetime) or moment.utcoffset() is None):
        raise errors.FieldRefused("occurred_at", moment, "must be an aware moment, with its offset")
    if event_id is not None and not isinstance(event_id, UUID):
        raise errors.FieldRefused("event_id", event_id, "must be a UUID")
