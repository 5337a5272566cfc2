"""The reader: which rows became visible since the last time, in the order they were written.

One statement returns a snapshot and the rows by which it differs from the one before, so each committed row is in
exactly one difference, however late it commits. A difference that does not fit one read is frozen as a backlog and
walked by `seq`. Nothing is locked, nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast
from uuid import UUID

from outbox import errors
from outbox.cursor import Position
from outbox.portion import Portion
from outbox.rows import KEY, OCCURRED_AT, TOPIC, VERSION, Row
from outbox.session import Session
from outbox.snapshot import Snapshot

READ_XIDS_MAX = 2**20
"""How many ids one read may bridge, as read_difference.sql says; a relay that was away for longer walks."""

PROBED_ROWS_MAX = 10_000
"""How many rows are counted while nothing is published."""

_WIDENING = 4
_WINDOW_WIDTH_MAX = 2**40


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read brought.

    Attributes:
        rows: in the order they must be published; may be empty.
        position: where the cursor stands once all of them are acknowledged.
        read_at: the server's clock at the read.
        overflowed: there was more than one read may bring; the rows are no whole difference and must not be published.
    """

    rows: Sequence[Row]
    position: Position
    read_at: datetime
    overflowed: bool = False


@dataclass(slots=True)
class Voids:
    """The events an operator withdrew, as the last read knew them."""

    event_ids: frozenset[UUID] = field(default_factory=frozenset)
    counted: int = 0


class Reader:
    """Reads for one tenure, on its session."""

    def __init__(self, session: Session, portion: Portion) -> None:
        self._session = session
        self._portion = portion
        self._width = portion.rows
        self.voids = Voids()

    async def difference(self, position: Position) -> Batch:
        """The rows by which now differs from `position.seen`, or an overflowed batch that says there are too many."""
        seen, limit = position.seen, self._portion.rows
        if seen.running:
            read, *rows = await self._session.fetch("read_difference_and_running", seen.xmax, limit + 1, seen.running)
        else:
            read, *rows = await self._session.fetch("read_difference", seen.xmax, limit + 1)
        await self._check(read)
        now = Position(Snapshot.parse(read[TOPIC]))
        self._portion.learn(rows)
        beyond = int(now.seen.xmax) > int(seen.xmax) + READ_XIDS_MAX
        return Batch(rows, now, read[OCCURRED_AT], overflowed=beyond or len(rows) > limit)

    async def window(self, position: Position) -> Batch:
        """The next rows on the way to `position.target`: an acknowledged batch moves `walked_seq` past them.

        An empty window widens the next one, so that stretches without rows of ours cost little; a window that turns out
        too full comes back overflowed, where it started, and the next one is narrow again.
        """
        target, limit = cast("Snapshot", position.target), self._portion.rows
        until = position.walked_seq + self._width
        read, *rows = await self._session.fetch(
            "read_window", position.seen.xmax, position.seen.running, target.text, position.walked_seq, until, limit + 1
        )
        await self._check(read)
        self._portion.learn(rows)
        self._width = min(self._width * _WIDENING, _WINDOW_WIDTH_MAX) if not rows else self._portion.rows
        if len(rows) > limit:
            return Batch((), position, read[OCCURRED_AT], overflowed=True)
        return Batch(rows, replace(position, walked_seq=until), read[OCCURRED_AT])

    async def waiting(self, position: Position) -> tuple[int, float]:
        """How many rows are beyond the position, counted to a bound, and the age of the oldest in seconds."""
        seen, target = position.seen, position.target
        found = await self._session.fetchrow(
            "probe_waiting",
            seen.xmax,
            seen.running,
            target.text if target is not None else None,
            position.walked_seq,
            PROBED_ROWS_MAX,
        )
        return found["waiting"], found["oldest_seconds"] or 0.0

    async def _check(self, read: Row) -> None:
        if int(read[KEY]) != self._session.backend_pid:
            raise errors.PooledConnection(f"connected to backend {self._session.backend_pid}, answered by {read[KEY]}")
        if read[VERSION] != self.voids.counted:
            listed = await self._session.fetch("list_voids")
            self.voids = Voids(frozenset(row[0] for row in listed), read[VERSION])
