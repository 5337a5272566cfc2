"""What every contestant can do."""

from pathlib import Path
from typing import Protocol


class Contestant(Protocol):
    """A relay between a table and a topic, asleep until told."""

    name: str
    outbox: str
    """Its table in the words of `statements`; empty when it has none."""
    topic: str
    wakes: bool
    """Whether the writers tell it after each commit."""
    sessions: str
    """A condition on pg_stat_activity: its sessions in the database."""

    def prepare(self, *, noting: bool) -> None:
        """Do everything that may take its time: start programs, load code. It must not read yet.

        With `noting` it shall write down when each event was acknowledged, if it can.
        """

    def begin(self) -> None:
        """Read and publish from now on; returns at once or soon."""

    def pause(self) -> Path | None:
        """Read no more; where it wrote the moments of acknowledgement, if it did."""

    def close(self) -> None:
        """End everything that runs."""

    @property
    def pids(self) -> list[int]:
        """Its own processes."""
