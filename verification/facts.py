"""What the witnesses say, one small fact at a time: fixed-width, named, and always about one order.

A fact is a tuple that packs into a few dozen bytes, so that ten million of them lie in files, not in memory.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from uuid import UUID

VOID_TYPE: Final = "outbox.void"
"""The type of a record whose event an operator withdrew: it has no body (contract.md §2)."""

NUMBER_MAX: Final = 2**63 - 1
"""The largest id and version there is; a fact has room for no larger one."""

_DIGEST_BYTES: Final = 16


def number(text: str | bytes | None) -> int:
    """Read an id or a version, 1 to NUMBER_MAX in decimal; raise ValueError for what a stranger may write."""
    if not text or not text.isascii() or not text.isdigit() or not 0 < int(text) <= NUMBER_MAX:
        raise ValueError("not a positive number of 64 bits")
    return int(text)


class Ending(IntEnum):
    """How far one half of a notification, its card or its alert, has come."""

    NONE = 0
    PENDING = 1
    DONE = 2
    SKIPPED = 3
    FAILED = 4
    UNCERTAIN = 5


class State(IntEnum):
    """Where a notification stands."""

    PLANNED = 0
    CALLING = 1
    DELIVERED = 2
    FAILED = 3
    UNCERTAIN = 4
    SUPERSEDED = 5
    NO_SUBSCRIBER = 6


class Status(IntEnum):
    """An order's statuses (contract.md §1); UNKNOWN is anything else a body may say."""

    UNKNOWN = 0
    NEW = 1
    AWAITING_PAYMENT = 2
    FAILED = 3
    PAID = 4
    CANCELLED = 5

    @classmethod
    def named(cls, text: object) -> Status:
        """Give the status a text names."""
        return cls.__members__.get(str(text).replace(" ", "_").upper(), cls.UNKNOWN)

    @property
    def text(self) -> str:
        """Name it as the contract does."""
        return self.name.replace("_", " ").lower()


ALLOWED: Final[dict[int, frozenset[int]]] = {
    Status.NEW: frozenset({Status.AWAITING_PAYMENT, Status.FAILED}),
    Status.AWAITING_PAYMENT: frozenset({Status.PAID, Status.CANCELLED}),
}
"""The moves of an order (contract.md §1)."""


class Call(IntEnum):
    """What Telegram was asked to do."""

    SEND_CARD = 0
    EDIT_CARD = 1
    SEND_ALERT = 2


class Committed(NamedTuple):
    """A row of the outbox; `inside` is whether it was written in the window."""

    order_id: int
    version: int
    seq: int
    event_id: bytes
    digest: bytes
    xid: int
    at: float  # seconds since 1970, when the change was made
    status: int
    inside: bool


class Audited(NamedTuple):
    """A change of an order as the audit trigger saw it; `inside` is whether it was made in the window."""

    order_id: int
    version: int
    was_version: int  # 0: there was no order before
    xid: int
    at: float
    status: int
    inside: bool


class Published(NamedTuple):
    """A record of the topic."""

    order_id: int
    version: int
    partition: int
    offset: int
    event_id: bytes
    digest: bytes
    at: float  # seconds since 1970, from ce_time; 0 if it says none
    sent_at: float  # seconds since 1970, by the clock of who sent it
    incarnation: int  # who sent it: a number of `Incarnations`


class Noted(NamedTuple):
    """A row of the notification ledger: the one effect of an event."""

    order_id: int
    version: int
    seq: int
    event_id: bytes
    state: int
    card: int
    alert: int


class Accepted(NamedTuple):
    """A call Telegram accepted."""

    order_id: int
    version: int
    seq: int
    call: int


class SetAside(NamedTuple):
    """An event the inbox parked."""

    order_id: int
    event_id: bytes


class Current(NamedTuple):
    """An order as its own row says."""

    order_id: int
    version: int
    status: int
    began: bool  # created in the window


Fact = Committed | Audited | Published | Noted | Accepted | SetAside | Current

LAYOUTS: Final[dict[type[Fact], struct.Struct]] = {
    Committed: struct.Struct("<qqq16s16sqdB?"),
    Audited: struct.Struct("<qqqqdB?"),
    Published: struct.Struct("<qqiq16s16sddi"),
    Noted: struct.Struct("<qqq16sBBB"),
    Accepted: struct.Struct("<qqqB"),
    SetAside: struct.Struct("<q16s"),
    Current: struct.Struct("<qqB?"),
}
"""How each kind of fact is packed."""


def digest(event_type: str, body: bytes | None) -> bytes:
    """Give what two equal messages share: their type and body, bytes for bytes."""
    shown = b"\x00" if body is None else b"\x01" + body
    return blake2b(event_type.encode() + b"\x00" + shown, digest_size=_DIGEST_BYTES).digest()


def event_text(event_id: UUID | bytes) -> str:
    """Write an event id as people paste it."""
    if not isinstance(event_id, bytes):
        return str(event_id)
    text = event_id.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
