"""One order before its judges: what the witnesses say, what must be known beside it, and where findings go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from verification.report import Finding, Findings, Kind, Tallies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import timedelta

    from verification.facts import Committed, Noted, Published
    from verification.incarnations import Incarnations
    from verification.log_order import LogOrder
    from verification.repeats import Repeats
    from verification.spool import Story
    from verification.witnesses.ledger import Decisions

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a judge must know beside an order's own facts."""

    partitions: int
    positions: Mapping[int, int]  # partition → next offset the consumer says it will read
    committed: Mapping[int, int]  # partition → next offset its group committed in Kafka
    decisions: Decisions
    senders: Incarnations
    repeats_reach: timedelta
    operator_moved: float | None  # seconds since 1970: from then on records may come again on purpose
    audited_since: float | None  # seconds since 1970: from then on the audit trigger saw every change
    judged_since: float  # seconds since 1970: the outbox may have dropped what is older; 0 = it keeps everything
    telegram_asked: bool


@dataclass(slots=True, kw_only=True)
class Case:
    """`inside` are the changes of the window by version.

    `records` are their first records by event and `effects` what the ledger made of them, each set by its verdict.
    """

    story: Story
    circumstances: Circumstances
    tallies: Tallies
    findings: Findings
    repeats: Repeats
    log_order: LogOrder
    inside: list[Committed] = field(init=False)
    records: Mapping[bytes, Published] = field(init=False, default_factory=dict)
    effects: list[Noted] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.inside = sorted((row for row in self.story.committed if row.inside), key=lambda row: row.version)

    def found(self, kind: Kind, invariant: str, version: int, text: str) -> None:
        """Note something wrong, or waiting, about one version."""
        order_id = self.story.order_id
        self.findings.add(Finding(kind=kind, invariant=invariant, order_id=order_id, version=version, text=text))


def descents(items: Iterable[Item], rank: Callable[[Item], int]) -> Iterator[tuple[Item, Item]]:
    """Give every item ranked below one before it, with the highest one before it."""
    highest: Item | None = None
    for item in items:
        if highest is not None and rank(item) < rank(highest):
            yield item, highest
        else:
            highest = item
