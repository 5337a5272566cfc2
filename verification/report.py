"""What a reconciliation found: five rows of numbers, the first things that are wrong, and what could not be asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from verification.repeats import Cause

FINDINGS_KEPT_MAX: Final = 20
"""How many findings of one kind are told in full; the rest is counted."""


class Kind(StrEnum):
    """What can be found. The first group breaks a promise; the second is known, counted and waits for somebody."""

    OUTBOX_LACKS = "outbox lacks a change"
    OUTBOX_INVENTS = "outbox has a change the order does not"
    OUTBOX_APART = "row and change in two transactions"
    OVERSOLD = "more reserved than there is"
    ILLEGAL_MOVE = "move the rules do not allow"
    OUTBOX_ORDER = "written out of order"
    LOST = "lost before Kafka"
    PHANTOM_RECORD = "record without a row"
    ALTERED = "record differs from its row"
    WRONG_PARTITION = "wrong partition"
    RECORDS_ORDER = "published out of order"
    REPEATED = "sent again without a cause"
    NOT_APPLIED = "not applied"
    SKIPPED = "skipped by the consumer"
    PASSED_OVER = "passed over, applied later"
    PHANTOM_EFFECT = "effect without an event"
    DOUBLED_EFFECT = "applied twice"
    EFFECTS_ORDER = "applied out of order"
    NEVER_ACCEPTED = "said delivered, never accepted"
    SENT_AGAIN = "sent twice"
    PHANTOM_SEND = "sent without a notification"
    SENDS_ORDER = "sent out of order"

    PARKED = "parked"
    UNFINISHED = "on its way"
    UNCERTAIN = "uncertain"


ATTENTION: Final = frozenset({Kind.PARKED, Kind.UNFINISHED, Kind.UNCERTAIN})
"""Kinds no promise speaks against: nothing is lost, doubled or inverted."""

_NEXT: Final[dict[Kind, str]] = {
    Kind.LOST: "onelane outbox status",
    Kind.NOT_APPLIED: "onelane inbox status",
    Kind.SKIPPED: "onelane inbox status",
    Kind.PASSED_OVER: "onelane inbox status",
    Kind.REPEATED: "onelane outbox status",
    Kind.PARKED: "onelane inbox parked",
    Kind.UNFINISHED: "onelane notify attempts {order_id}",
    Kind.UNCERTAIN: "onelane notify uncertain",
    Kind.NEVER_ACCEPTED: "onelane notify attempts {order_id}",
    Kind.SENT_AGAIN: "onelane notify attempts {order_id}",
    Kind.PHANTOM_SEND: "onelane notify attempts {order_id}",
    Kind.SENDS_ORDER: "onelane notify attempts {order_id}",
}
_NEXT_OTHERWISE: Final = "onelane orders timeline {order_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong (or waits): where, which invariant, in words, and what to run next."""

    kind: Kind
    invariant: str
    order_id: int | None
    version: int | None
    text: str

    @property
    def next_command(self) -> str:
        """Give the command that shows more."""
        if self.order_id is None:
            return _NEXT.get(self.kind, "onelane outbox status")
        return _NEXT.get(self.kind, _NEXT_OTHERWISE).format(order_id=self.order_id)

    def as_json(self) -> dict[str, Any]:
        """Give the finding in the stable schema."""
        return {
            "kind": self.kind.value,
            "invariant": self.invariant,
            "attention_only": self.kind in ATTENTION,
            "order_id": self.order_id,
            "version": self.version,
            "text": self.text,
            "next": self.next_command,
        }


@dataclass(slots=True)
class Tally:
    """The numbers of one witness, in status changes of the window."""

    rows: int = 0
    matched: int = 0
    missing: int = 0
    extra: int = 0
    out_of_order: int = 0

    def as_json(self) -> dict[str, int]:
        """Give the numbers in the stable schema."""
        return {
            "rows": self.rows,
            "matched": self.matched,
            "missing": self.missing,
            "extra": self.extra,
            "out_of_order": self.out_of_order,
        }


@dataclass(slots=True)
class Tallies:
    """One tally per witness."""

    outbox: Tally = field(default_factory=Tally)
    kafka: Tally = field(default_factory=Tally)
    notification: Tally = field(default_factory=Tally)
    telegram: Tally = field(default_factory=Tally)
    repeats: int = 0  # records that came again, whatever the cause
    unjudged: int = 0  # records older than what the outbox still keeps

    def named(self) -> Iterable[tuple[str, Tally]]:
        """Give the witnesses in the order a change passes them."""
        return (
            ("outbox", self.outbox),
            ("kafka", self.kafka),
            ("notification", self.notification),
            ("telegram", self.telegram),
        )


class Findings:
    """Keeps the first of each kind and counts all."""

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self.first: list[Finding] = []

    def add(self, finding: Finding) -> None:
        """Note one."""
        self.counts[finding.kind] += 1
        if self.counts[finding.kind] <= FINDINGS_KEPT_MAX:
            self.first.append(finding)

    def sorted(self) -> list[Finding]:
        """Give the kept ones: broken promises first, then by order."""
        return sorted(self.first, key=lambda found: (found.kind in ATTENTION, found.order_id or 0, found.version or 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The answer to: lost? doubled? out of order?"""

    since: datetime
    until: datetime
    tallies: Tallies
    findings: list[Finding]
    counts: dict[Kind, int]
    telegram_asked: bool
    repeats: dict[Cause, int]  # records that came again, by cause
    lacking: list[str]  # witnesses that could not be asked, each with the reason
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether no promise was broken."""
        return not any(count for kind, count in self.counts.items() if kind not in ATTENTION)

    def as_json(self) -> dict[str, Any]:
        """Give everything in the stable schema."""
        return {
            "ok": self.ok,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "seconds": round(self.seconds, 3),
            "witnesses": {
                name: tally.as_json() if name != "telegram" or self.telegram_asked else None
                for name, tally in self.tallies.named()
            },
            "repeats": self.tallies.repeats,
            "repeats_by_cause": {cause.value: count for cause, count in sorted(self.repeats.items())},
            "unjudged": self.tallies.unjudged,
            "counts": {kind.value: count for kind, count in sorted(self.counts.items())},
            "lacking": self.lacking,
            "findings": [finding.as_json() for finding in self.findings],
        }
