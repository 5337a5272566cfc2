"""Every refusal and failure of the library, named as a fact and carrying its facts.

Three families: an `AppendRefused` is the caller's message that must not be sent; a `NeedsOperator` is a state no
restart can help; everything else passes by itself, and the relay retries it.
"""

from collections.abc import Sequence
from uuid import UUID

_SHOWN_CHARACTERS_MAX = 60


def _shortened(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else f"{text[: _SHOWN_CHARACTERS_MAX - 1]}…"


class OutboxError(Exception):
    """The root: whatever the library raises of its own."""


class AppendRefused(OutboxError):
    """A message was not appended; nothing was written."""


class NotInTransaction(AppendRefused):
    """Append rides the caller's transaction, and there is none."""

    def __init__(self) -> None:
        super().__init__("append outside a transaction: open one, change your rows, append last, commit")


class UnknownTopic(AppendRefused):
    """The topic is not among those the writer was built with."""

    def __init__(self, topic: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown topic {topic!r}; this writer knows {', '.join(sorted(known))}")
        self.topic = topic


class MessageTooLarge(AppendRefused):
    """Key, type, headers and payload together would not fit the topic's largest message."""

    def __init__(self, topic: str, key: str, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"message for {topic!r}, key {key!r}, takes {size_bytes} bytes; the limit is {limit_bytes}")
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class EmptyKey(AppendRefused):
    """A message without a key has no order and no partition."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"empty key in a message for {topic!r}")


class EmptyType(AppendRefused):
    """A message without a type cannot be read by anybody."""

    def __init__(self, topic: str, key: str) -> None:
        super().__init__(f"empty type in a message for {topic!r}, key {key!r}")


class VersionBelowOne(AppendRefused):
    """Versions count from 1 upwards."""

    def __init__(self, topic: str, key: str, version: int) -> None:
        super().__init__(f"version {version} of {topic!r}, key {key!r}: versions start at 1")


class VersionMissing(AppendRefused):
    """The topic has versions and the message has none."""

    def __init__(self, topic: str, key: str) -> None:
        super().__init__(f"{topic!r} is versioned: the message for key {key!r} needs its version")


class VersionUnexpected(AppendRefused):
    """The topic has no versions (several producers, dead letters) and the message has one."""

    def __init__(self, topic: str, key: str, version: int) -> None:
        super().__init__(f"{topic!r} has no versions: the message for key {key!r} came with version {version}")


class ReservedHeader(AppendRefused):
    """The relay writes this header itself."""

    def __init__(self, topic: str, key: str, name: str) -> None:
        super().__init__(f"header {name!r} in a message for {topic!r}, key {key!r}, belongs to the relay")


class FieldRefused(AppendRefused):
    """A field of the message holds what neither the table, the broker nor a consumer's inbox would take."""

    def __init__(self, field: str, value: object, bound: str) -> None:
        super().__init__(f"{field} = {_shortened(value)}: {bound}")
        self.field = field


class NotAConnection(AppendRefused):
    """Append was given something it cannot append through."""

    def __init__(self, connection: object) -> None:
        super().__init__(
            f"append through {type(connection).__name__}: give it an asyncpg connection, or an async SQLAlchemy "
            "connection or session, in a transaction"
        )


class NeedsOperator(OutboxError):
    """No restart can help: a person has to decide. Processes exit with 78."""


class DatabaseUnusable(NeedsOperator):
    """The database is not there, does not let this role in, or has no outbox this role may work with."""

    def __init__(self, address: str, fact: str, cure: str) -> None:
        super().__init__(f"the database at {address}: {fact}; {cure}")
        self.address = address
        self.fact = fact
        self.cure = cure


class CursorMissing(NeedsOperator):
    """The cursor row is not there: the tables were not installed, or the name is wrong."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no cursor named {name!r} in outbox_cursor; install the tables or correct the name")


class CursorNeedsReset(NeedsOperator):
    """The stored position belongs to another history of the database."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"cursor {name!r} needs a reset: {reason}; choose `cursor-reset keep | now | all | from-seq --from-seq N`"
        )
        self.reason = reason


class TopicUnusable(NeedsOperator):
    """A topic the relay must publish to is missing, too small or forbidden."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"topic {topic!r}: {reason}")
        self.topic = topic
        self.reason = reason


class RecordRefused(NeedsOperator):
    """The broker will never take this row; the operator may void it."""

    def __init__(self, topic: str, key: str, event_id: UUID, reason: str) -> None:
        super().__init__(
            f"the broker refuses event {event_id} (topic {topic!r}, key {key!r}): {reason}; "
            f"cure the topic, or `void {event_id} --reason …`"
        )
        self.topic = topic
        self.key = key
        self.event_id = event_id
        self.reason = reason


class PooledConnection(NeedsOperator):
    """Something stands between the relay and the server and hands its statements to other backends."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"a connection pooler stands before the server ({reason}): give the relay the server's own address, for it "
            "listens, and its settings are a session's"
        )


class PublishFailed(OutboxError):
    """Not everything was acknowledged; what was may come again. The producer is gone, the rows are read anew."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"publish failed: {reason}")
        self.reason = reason


class NotPrimary(OutboxError):
    """The server is a standby: its snapshots know no running transactions, and rows would be lost."""

    def __init__(self) -> None:
        super().__init__("the server is in recovery; the relay reads a primary only")


class Fenced(OutboxError):
    """Another relay holds the cursor: this one may not move it any more."""

    def __init__(self, name: str, epoch: int) -> None:
        super().__init__(f"cursor {name!r} is no longer ours (epoch {epoch})")
        self.epoch = epoch


class OperationRefused(OutboxError):
    """What an operator asked for must not be done as things are; nothing was changed."""


class ReasonMissing(OperationRefused):
    """What changes something needs a reason."""

    def __init__(self, action: str) -> None:
        super().__init__(f"{action} needs a reason: it stays in outbox_audit")


class EventUnknown(OperationRefused):
    """No retained row has that id."""

    def __init__(self, event_id: UUID) -> None:
        super().__init__(f"no retained event {event_id}")


class EventAlreadySent(OperationRefused):
    """The cursor is past it."""

    def __init__(self, event_id: UUID) -> None:
        super().__init__(f"event {event_id} is sent already; there is nothing left to withdraw")


class EventAlreadyVoid(OperationRefused):
    """It is withdrawn already."""

    def __init__(self, event_id: UUID) -> None:
        super().__init__(f"event {event_id} is void already")


class PositionAhead(OperationRefused):
    """The stored position lies beyond what this server has come to: keeping it would skip what comes."""

    def __init__(self, name: str) -> None:
        super().__init__(f"cursor {name!r} is ahead of this server: choose now, from-seq or all")


class PlanStale(OperationRefused):
    """Something changed since the plan was made."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the plan is stale: {reason}; plan again")
