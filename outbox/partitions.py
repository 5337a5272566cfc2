"""The partitions of the outbox: what they are, and what should be done about them. Decisions only, no database.

In order of xid: ranges of one width, then two overflow pieces, near and far. Near is what can be taken out and put back
higher, so that ranges fit below it; far makes sure that meanwhile no xid is without a partition.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from outbox.schema import NEAR_WIDTH, PARTITION_WIDTH_DEFAULT, PARTITIONS_AHEAD, XID_MAX

_BOUNDS = re.compile(r"FOR VALUES FROM \('(\d+)'\) TO \('(\d+)'\)")


@dataclass(frozen=True, slots=True)
class Partition:
    """A piece of the table: rows with lower ≤ xid < upper. The name is quoted where it must be."""

    name: str
    lower: int
    upper: int
    pending: bool = False

    @classmethod
    def of(cls, listed: Any) -> Self:
        """From a row of list_partitions."""
        found = _BOUNDS.fullmatch(listed["bounds"])
        if found is None:
            raise ValueError(f"partition {listed['name']} has bounds the library did not make: {listed['bounds']}")
        return cls(listed["name"], int(found[1]), int(found[2]), listed["pending"])


@dataclass(frozen=True, slots=True)
class Bar:
    """How far one reader has come."""

    xmax: int
    running: frozenset[int]

    def passed(self, partition: Partition) -> bool:
        """Whether this reader will never look into the partition again."""
        return partition.upper <= self.xmax and not any(
            partition.lower <= xid < partition.upper for xid in self.running
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """The table's pieces at one moment, in order; `near` or `far` is None while it is out."""

    ranges: tuple[Partition, ...]
    near: Partition | None
    far: Partition | None
    pending: tuple[Partition, ...]

    @classmethod
    def of(cls, pieces: Sequence[Partition]) -> Self:
        """Tell ranges and overflow apart: far ends at the type's end, near is wider than any range."""
        whole = sorted((piece for piece in pieces if not piece.pending), key=lambda piece: piece.lower)
        pending = tuple(piece for piece in pieces if piece.pending)
        far = whole.pop() if whole and whole[-1].upper == XID_MAX else None
        near = whole.pop() if whole and _is_near(whole[-1]) else None
        return cls(tuple(whole), near, far, pending)

    @property
    def width(self) -> int:
        """The width of a range; the oldest begins at 0 and carved ones end where they must: those may be wider."""
        return min((piece.upper - piece.lower for piece in self.ranges[1:]), default=PARTITION_WIDTH_DEFAULT)

    @property
    def end(self) -> int:
        """Where the ranges end: the horizon."""
        return self.ranges[-1].upper if self.ranges else 0

    def ahead(self, current_xid: int) -> int:
        """How many ranges lie wholly beyond the current xid."""
        return sum(piece.lower > current_xid for piece in self.ranges)

    def holds(self, xid: int) -> bool:
        """Whether a finite range takes this xid."""
        return any(piece.lower <= xid < piece.upper for piece in self.ranges)

    def missing(self, current_xid: int) -> list[tuple[int, int]]:
        """The bounds of ranges to add so that the lead is whole again; empty while half of it remains."""
        ahead = self.ahead(current_xid)
        if ahead >= PARTITIONS_AHEAD // 2:
            return []
        starts = [self.end + number * self.width for number in range(PARTITIONS_AHEAD - ahead)]
        return [(start, start + self.width) for start in starts]

    def droppable(self, bars: Sequence[Bar]) -> list[Partition]:
        """The ranges every reader has passed; how old their rows are is another question."""
        return [piece for piece in self.ranges if bars and all(bar.passed(piece) for bar in bars)]


def _is_near(piece: Partition) -> bool:
    return piece.name.rpartition(".")[2].startswith("outbox_near_")


def far_start(near_start: int, far: Partition | None) -> int:
    """Where far should begin: where it does, unless near would become narrow."""
    if far is not None and far.lower - near_start >= NEAR_WIDTH // 2:
        return far.lower
    return near_start + NEAR_WIDTH
