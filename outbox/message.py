"""What an application says: a message, and what the library must know about its topic.

Invariants: a message is immutable; a versioned topic counts 1, 2, 3 … per key; key, type, headers and payload together
stay so far below the topic's `max.message.bytes` that the relay's own headers always fit.
"""

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


def size_bytes(message: Message) -> int:
    """What the message takes in a record beside the relay's fixed headers; the key counts twice (`ce_subject`)."""
    headers = sum(len(name.encode()) + len(value.encode()) for name, value in message.headers.items())
    return 2 * len(message.key.encode()) + len(message.type.encode()) + headers + len(message.payload)


def refuse_malformed(message: Message) -> None:
    """Raise what is wrong with a message whatever its topic."""
    if not message.key:
        raise errors.EmptyKey(message.topic)
    if not message.type:
        raise errors.EmptyType(message.topic, message.key)
    if message.version is not None and message.version < 1:
        raise errors.VersionBelowOne(message.topic, message.key, message.version)
    for name in message.headers:
        if name in RELAY_HEADERS:
            raise errors.ReservedHeader(message.topic, message.key, name)


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
