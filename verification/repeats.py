"""Records that came again: each is held against who sent it before and who sends it now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

ASKED_MAX: Final = 1_000
"""For how many repeats of one owner the log is asked who wrote them; the rest is counted as undecided."""


class Cause(StrEnum):
    """Why a record came again, as far as the log tells."""

    SUCCESSOR = "a new owner began at the stored cursor"
    FORMER = "a former owner was still sending"
    PRODUCER = "its owner sent it anew with another producer"
    OPERATOR = "after an operator sent rows anew"
    UNDECIDED = "not looked into"
    NONE = "no cause"


class Repeat(NamedTuple):
    """One record and the one before it with the same event, in the order of the log."""

    order_id: int
    version: int
    partition: int
    before_offset: int
    offset: int
    before: int  # who sent the one before: a number of `Incarnations`
    sender: int
    before_sent_at: float
    sent_at: float


@dataclass(slots=True)
class Overlap:
    """Two owners at work at once: when the former sent what the newer one sent too, by the former's clock."""

    first: float
    last: float
    example: Repeat


@dataclass(slots=True)
class Repeats:
    """What was counted, and what is still to be asked."""

    causes: Counter[Cause] = field(default_factory=Counter)
    overlaps: dict[tuple[int, int], Overlap] = field(default_factory=dict)
    to_ask: list[Repeat] = field(default_factory=list)

    def overlapped(self, repeat: Repeat, *, former: int, newer: int, at: float) -> None:
        """Note that both owners sent an event while both were at work."""
        known = self.overlaps.get((former, newer))
        if known is None:
            self.overlaps[former, newer] = Overlap(at, at, repeat)
            return
        known.first = min(known.first, at)
        if at > known.last:
            known.last, known.example = at, repeat

    def ask(self, repeat: Repeat) -> None:
        """Leave it to the log to say whether one producer wrote both; beyond a thousand it is not asked."""
        if len(self.to_ask) < ASKED_MAX:
            self.to_ask.append(repeat)
        else:
            self.causes[Cause.UNDECIDED] += 1
