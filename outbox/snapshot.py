"""A Postgres snapshot as the reader needs it.

A transaction is seen in a snapshot if its id is below xmax and not in xip. The difference of two snapshots is
therefore: ids from the older xmax on, plus those the older one knew as running.
"""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`xmin:xmax:xip,xip,…`; ids stay text, as they travel."""

    text: str
    xmax: str
    running: list[str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the text form of `pg_snapshot`."""
        _, xmax, running = text.split(":")
        return cls(text, xmax, running.split(",") if running else [])
