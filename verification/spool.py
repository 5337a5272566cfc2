"""Holds the facts of all witnesses grouped by order, however many there are.

Facts are spread over buckets by their order; a bucket that grows goes to a file of its own. Each bucket is then read
back alone, so memory holds one bucket, never the window: a hash join whose hash tables lie on disk. A small window
never touches the disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from verification.buckets import Buckets
from verification.facts import LAYOUTS, Accepted, Audited, Committed, Current, Fact, Noted, Published, SetAside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

BUCKETS_DEFAULT: Final = 1_024
"""So many that a bucket of ten million changes is read back in some twenty megabytes."""


@dataclass(slots=True)
class Story:
    """Everything the witnesses say about one order."""

    order_id: int
    committed: list[Committed] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    current: Current | None = None
    audited: list[Audited] = field(default_factory=list)

    def add(self, fact: Fact) -> None:
        """Add what one witness says."""
        match fact:
            case Committed():
                self.committed.append(fact)
            case Audited():
                self.audited.append(fact)
            case Published():
                self.published.append(fact)
            case Noted():
                self.noted.append(fact)
            case Accepted():
                self.accepted.append(fact)
            case SetAside():
                self.set_aside.append(fact)
            case Current():
                self.current = fact


class Spool:
    """Use as a context manager: its files go with it."""

    def __init__(self, *, buckets: int = BUCKETS_DEFAULT, buffer_bytes: int | None = None) -> None:
        self._count = buckets
        self._buckets: Buckets[tuple[int, type[Fact]]] = Buckets(buffer_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._buckets.close()

    def add(self, fact: Fact) -> None:
        """Keep a fact with the others of its order."""
        kind = type(fact)
        self._buckets.add((fact.order_id % self._count, kind), LAYOUTS[kind].pack(*fact))

    def stories(self) -> Iterator[dict[int, Story]]:
        """Give the orders bucket by bucket, each bucket once."""
        for bucket in range(self._count):
            stories: dict[int, Story] = {}
            for fact in self._facts(bucket):
                story = stories.get(fact.order_id)
                if story is None:
                    story = stories[fact.order_id] = Story(fact.order_id)
                story.add(fact)
            if stories:
                yield stories

    def _facts(self, bucket: int) -> Iterator[Fact]:
        for kind, layout in LAYOUTS.items():
            for values in layout.iter_unpack(self._buckets.take((bucket, kind))):
                yield kind(*values)
