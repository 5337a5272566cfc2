"""The bare floor of a drain as a contestant: it has no table, its records are made while it prepares."""

from pathlib import Path

from bench.program import Program
from bench.stand import Stand

_START_SECONDS_MAX = 120.0


class BareProducer:
    """Sends `rows` records, numbered from `first`, with our relay's bytes; once."""

    name = "producer"
    outbox = ""
    wakes = False
    sessions = "false"

    def __init__(self, stand: Stand, *, first: int, rows: int, topic: str = "bench-producer") -> None:
        self.topic = stand.topic(topic)
        self._stand = stand
        self._first = first
        self._rows = rows
        self._program: Program | None = None

    @property
    def pids(self) -> list[int]:
        """Its own process."""
        return [self._program.pid] if self._program is not None else []

    def prepare(self, *, noting: bool) -> None:
        """Start the program and let it make the records; it has nothing to note."""
        del noting
        self._program = Program(
            "producer",
            self._stand.folder,
            bootstrap=self._stand.kafka.bootstrap,
            topic=self.topic,
            partitions=self._stand.settings.partitions,
            first=self._first,
            rows=self._rows,
        )
        self._program.expect("ready", within=_START_SECONDS_MAX)

    def begin(self) -> None:
        """Say the word."""
        if self._program is not None:
            self._program.tell("go")

    def pause(self) -> Path | None:
        """End the program."""
        self.close()
        return None

    def close(self) -> None:
        """End the program."""
        if self._program is not None:
            self._program.kill()
            self._program = None
