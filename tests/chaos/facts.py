"""What each witness of a run says, in the smallest form a judge needs.

H history of the clients · D audit of the orders · O outbox rows · K records of the topic · B effects at the consumer.
None is derived from another: five witnesses that agree mean something.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class Outcome(Enum):
    """What a client learnt of its attempt: an answer that never came is neither of the first two."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Attempt:
    """H: one transaction as its client saw it; `changes` are (key, version), as sent before the COMMIT."""

    op: str
    outcome: Outcome = Outcome.UNKNOWN
    xid: int = 0
    changes: Sequence[tuple[str, int]] = ()


class Audited(NamedTuple):
    """D: a change of an order, written by a trigger in its transaction."""

    key: str
    version: int
    xid: int
    op: str


class Row(NamedTuple):
    """O: a row of the outbox."""

    key: str
    version: int
    xid: int
    seq: int
    event_id: str
    payload: bytes


class Record(NamedTuple):
    """K: a record of the topic. `sender` names the relay's tenure, and its producer where that must be known."""

    key: str | None
    version: int
    partition: int
    offset: int
    event_id: str
    payload: bytes | None
    sender: str = ""


class Effect(NamedTuple):
    """B: what applying an event left behind; `place` rises with the order of writing."""

    consumer: str
    key: str
    version: int
    place: int
    event_id: str
    payload: bytes


class Echo(NamedTuple):
    """B: what the handler said in its own outbox, in the transaction of the effect."""

    consumer: str
    event_id: str


class SetAside(NamedTuple):
    """B: an event the inbox parked."""

    consumer: str
    key: str
    event_id: str


@dataclass(slots=True, kw_only=True)
class Witnesses:
    """Everything a judge may look at."""

    history: Sequence[Attempt]
    orders: dict[str, int]
    audit: Sequence[Audited]
    rows: Sequence[Row]
    records: Sequence[Record]
    partitions: int
    effects: Sequence[Effect] = ()
    echoes: Sequence[Echo] = ()
    parked: Sequence[SetAside] = ()
    consumers: Sequence[str] = field(default_factory=tuple)
