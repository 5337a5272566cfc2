"""The acceptance log: one JSON line per thing that happened, flushed before anybody is answered.

Lines are only ever appended; `seq` grows by one. A line torn by a kill in the middle of a write was never answered
and is cut off at the next start. Reading pages from anywhere costs one seek, however long the log is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

Entry = dict[str, Any]
BOT_CALLS = frozenset({"sendMessage", "editMessageText", "editMessageReplyMarkup", "deleteMessage"})
_LINES_PER_MARK = 256


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it lies in the file, without its end."""

    seq: int
    line: bytes


class Journal:
    """Owns `accepted.jsonl`; one writer, in one process."""

    def __init__(self, path: Path, *, now: Callable[[], datetime], new_call_id: Callable[[], str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._now = now
        self._new_call_id = new_call_id
        self._marks: list[int] = [0]  # byte offset of every 256th line
        self._lines = 0
        self._bytes = 0
        self._file = path.open("ab", buffering=0)

    @property
    def last_seq(self) -> int:
        """Number of the newest line; 0 when there is none."""
        return self._lines

    def replay(self) -> Iterator[Entry]:
        """Give every line of the former life in order; call once, before the first `append`."""
        with self._path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._count(len(line))
                yield orjson.loads(line)
        self._file.truncate(self._bytes)

    def append(self, facts: Mapping[str, Any]) -> Entry:
        """Write one line; only what is written may be answered. Raises OSError when the disk refuses."""
        moment = self._now()
        entry: Entry = {"at": _rfc3339(moment), "seq": self._lines + 1, **facts, "call_id": self._new_call_id()}
        line = orjson.dumps(entry) + b"\n"
        self._write(line)
        self._count(len(line))
        return entry

    def page(self, since: int, limit: int) -> list[Line]:
        """Give up to `limit` accepted bot calls after line `since`, as they were written."""
        found: list[Line] = []
        for seq, line in self._after(since):
            if orjson.loads(line)["method"] in BOT_CALLS:
                found.append(Line(seq, line.rstrip(b"\n")))
            if len(found) == limit:
                break
        return found

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()

    def _write(self, line: bytes) -> None:
        """One unbuffered write; a full disk leaves no half line behind."""
        try:
            written = self._file.write(line)
        except OSError:
            self._file.truncate(self._bytes)
            raise
        if written != len(line):
            self._file.truncate(self._bytes)
            raise OSError(f"{self._path}: wrote {written} of {len(line)} bytes")

    def _after(self, seq: int) -> Iterator[tuple[int, bytes]]:
        mark = min(seq // _LINES_PER_MARK, len(self._marks) - 1)
        with self._path.open("rb") as lines:
            lines.seek(self._marks[mark])
            for number, line in enumerate(lines, start=mark * _LINES_PER_MARK + 1):
                if number > self._lines:
                    return
                if number > seq:
                    yield number, line

    def _count(self, size: int) -> None:
        self._lines += 1
        self._bytes += size
        if self._lines % _LINES_PER_MARK == 0:
            self._marks.append(self._bytes)


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
