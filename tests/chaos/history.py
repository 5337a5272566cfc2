"""H: what clients write down before and after each call, in a file that survives their being killed.

A line is one JSON array: ["asked", op], ["sent", op, xid, changes] before the COMMIT, then ["ok" | "refused" |
"unknown", op]. Who is killed leaves an attempt without an end: unknown. Lines go to the kernel at once.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.chaos.facts import Attempt, Outcome


class History:
    """Where one client writes."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def asked(self, op: str) -> None:
        """Before the call."""
        self._write("asked", op)

    def sent(self, op: str, xid: int, changes: Sequence[tuple[str, int]]) -> None:
        """Before the COMMIT: what it will have changed."""
        self._write("sent", op, xid, changes)

    def ended(self, op: str, outcome: Outcome) -> None:
        """After the call."""
        self._write(outcome.value, op)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._file)

    def _write(self, *entry: Any) -> None:
        os.write(self._file, json.dumps(entry).encode() + b"\n")


def read_histories(paths: Iterable[Path]) -> list[Attempt]:
    """Every attempt of these clients, in the order they were asked for; an unfinished last line was never said."""
    return [attempt for path in sorted(paths) for attempt in _attempts(path)]


def open_attempts(path: Path) -> int:
    """How many attempts have no end yet."""
    said = Counter(entry[0] for entry in _entries(path))
    return said["asked"] - sum(said[outcome.value] for outcome in Outcome)


def _attempts(path: Path) -> Iterable[Attempt]:
    attempts: dict[str, Attempt] = {}
    for said, op, *rest in _entries(path):
        if said == "asked":
            attempts[op] = Attempt(op)
        elif said == "sent":
            attempts[op].xid = rest[0]
            attempts[op].changes = [(key, version) for key, version in rest[1]]
        else:
            attempts[op].outcome = Outcome(said)
    return attempts.values()


def _entries(path: Path) -> Iterable[list[Any]]:
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines()]
