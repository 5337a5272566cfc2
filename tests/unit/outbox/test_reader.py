"""What the reader makes of an answer, without a server."""

from datetime import UTC, datetime
from typing import Any

import pytest

from outbox import errors
from outbox.cursor import Position
from outbox.portion import Portion
from outbox.reader import READ_XIDS_MAX, Reader
from outbox.session import Session
from outbox.snapshot import Snapshot
from tests.outbox_rows import a_row

READ_AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SEEN = Position(Snapshot.parse("900:1000:"))


class Answering(Session):
    """A session that answers every statement with one read and some rows."""

    def __init__(self, snapshot: str, *rows: Any, backend_pid: int = 7) -> None:
        self.backend_pid = 7
        self._answer = [(None, None, snapshot, str(backend_pid), 0, None, READ_AT, None, None), *rows]

    async def fetch(self, name: str, *args: Any) -> list[Any]:
        del name, args
        return self._answer


def _reader(session: Session, *, rows_max: int = 5_000) -> Reader:
    return Reader(session, Portion(rows_max=rows_max, bytes_max=16_000_000))


async def test_a_difference_is_its_rows_and_the_snapshot_they_lead_to() -> None:
    batch = await _reader(Answering("1000:1003:1001", a_row("orders", 1))).difference(SEEN)

    assert (len(batch.rows), batch.overflowed, batch.read_at) == (1, False, READ_AT)
    assert (batch.position.seen.xmax, batch.position.seen.running) == ("1003", ["1001"])


async def test_more_rows_than_asked_for_are_no_difference() -> None:
    rows = [a_row("orders", seq) for seq in (1, 2, 3)]

    assert (await _reader(Answering("1000:1003:", *rows), rows_max=2).difference(SEEN)).overflowed


@pytest.mark.parametrize(("ids_further", "overflowed"), [(READ_XIDS_MAX, False), (READ_XIDS_MAX + 1, True)])
async def test_a_snapshot_further_than_one_read_bridges_is_walked_to(ids_further: int, *, overflowed: bool) -> None:
    xmax = 1_000 + ids_further

    batch = await _reader(Answering(f"{xmax}:{xmax}:")).difference(SEEN)

    assert batch.overflowed is overflowed


async def test_an_answer_of_another_backend_is_refused() -> None:
    with pytest.raises(errors.PooledConnection):
        await _reader(Answering("1000:1003:", backend_pid=8)).difference(SEEN)
