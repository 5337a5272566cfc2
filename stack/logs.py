"""The logs of a home: appended to by the processes, kept from growing without end, followed by people."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from stack.home import Home

LOG_BYTES_MAX = 10 << 20
_FOLLOW_SECONDS = 0.2
_TAIL_BYTES_MAX = 256 << 10


def rotate_logs(home: Home) -> None:
    """Put every log that grew over LOG_BYTES_MAX aside as `.log.1`, over the former one. Call while nobody writes."""
    for log in home.logs.glob("*.log"):
        if log.stat().st_size > LOG_BYTES_MAX:
            log.replace(log.with_suffix(".log.1"))


def tail(log: Path, lines: int) -> list[str]:
    """The last lines of a log, at most `lines` and at most what 256 KiB hold."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES_MAX))
        return file.read().decode(errors="replace").splitlines()[-lines:]


def follow(logs: Callable[[], dict[str, Path]], *, until: Callable[[], bool]) -> Iterator[tuple[str, str]]:
    """Yield (process, line) for whatever is written from now on, until told; logs that appear later are read whole."""
    offsets = {name: log.stat().st_size for name, log in logs().items()}
    while not until():
        quiet = True
        for name, log in logs().items():
            lines, offsets[name] = _complete_lines(log, offsets.get(name, 0))
            for line in lines:
                quiet = False
                yield name, line
        if quiet:
            time.sleep(_FOLLOW_SECONDS)


def _complete_lines(log: Path, offset: int) -> tuple[list[str], int]:
    """The whole lines after `offset` and where they end; a log that shrank is read from its beginning."""
    with log.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(offset if offset <= size else 0)
        begin = file.tell()
        text = file.read()
    end = text.rfind(b"\n") + 1
    return text[:end].decode(errors="replace").splitlines(), begin + end
