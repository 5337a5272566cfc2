"""Holds the facts of all witnesses grouped by order, however many there are.

Facts are spread over buckets by their order; a bucket that grows goes to a file of its own. Each bucket is then read
back alone, so memory holds one bucket, never the window: a hash join whose hash tables lie on disk. A small window
never touches the disk.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Self

from verification.facts import LAYOUTS, Accepted, Committed, Current, Fact, Noted, Published, SetAside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

BUCKETS_DEFAULT: Final = 256
_BUFFER_BYTES: Final = 65_536


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

    def add(self, fact: Fact) -> None:
        """Add what one witness says."""
        match fact:
            case Committed():
                self.committed.append(fact)
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

    def __init__(self, *, buckets: int = BUCKETS_DEFAULT, buffer_bytes: int = _BUFFER_BYTES) -> None:
        self._buckets = buckets
        self._buffer_bytes = buffer_bytes
        self._buffers: defaultdict[tuple[int, type[Fact]], bytearray] = defaultdict(bytearray)
        self._folder = TemporaryDirectory(prefix="onelane-verify-")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def add(self, fact: Fact) -> None:
        """Keep a fact with the others of its order."""
        kind = type(fact)
        place = fact.order_id % self._buckets, kind
        buffer = self._buffers[place]
        buffer += LAYOUTS[kind].pack(*fact)
        if len(buffer) >= self._buffer_bytes:
            self._write(place, buffer)

    def stories(self) -> Iterator[dict[int, Story]]:
        """Give the orders bucket by bucket, each bucket once."""
        for bucket in range(self._buckets):
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
            path = self._path(bucket, kind)
            packed = path.read_bytes() if path.exists() else b""
            packed += bytes(self._buffers.pop((bucket, kind), b""))
            for values in layout.iter_unpack(packed):
                yield kind(*values)

    def _write(self, place: tuple[int, type[Fact]], buffer: bytearray) -> None:
        with self._path(*place).open("ab") as file:
            file.write(buffer)
        buffer.clear()

    def _path(self, bucket: int, kind: type[Fact]) -> Path:
        return Path(self._folder.name) / f"{bucket}-{kind.__name__}"
