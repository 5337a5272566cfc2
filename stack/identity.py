"""Which process a recorded one is: a number is recycled, a number with its moment of birth is not."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import psutil

from stack.servers.child import lives

_BIRTH_TOLERANCE_SECONDS = 2.0
"""The kernel tells births in ticks since boot, and the moment of boot may be corrected by a second."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process id and when that process was born, in seconds since the epoch."""

    pid: int
    born: float

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The identity of a living process, else None."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    @classmethod
    def read(cls, record: Any) -> Self | None:
        """From its JSON form; None if it is none."""
        try:
            return cls(int(record["pid"]), float(record["born"]))
        except (KeyError, TypeError, ValueError):
            return None

    def written(self) -> dict[str, float]:
        """Its JSON form."""
        return asdict(self)

    def living(self) -> psutil.Process | None:
        """The process, if it is this very one and more than an unreaped shell of it."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.born) < _BIRTH_TOLERANCE_SECONDS
        except psutil.Error:
            return None
        return process if same and lives(process) else None
