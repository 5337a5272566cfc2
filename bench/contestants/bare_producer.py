"""The bare floor of a drain as a contestant: it has no table, its records are made while it prepares."""

from bench.program import Program
from bench.stand import Stand

_START_SECONDS_MAX = 120.0


class BareProducer:
    """Sends `rows` records with our relay's bytes."""

    name = "producer"

    def __init__(self, stand: Stand, *, topic: str = "bench-producer") -> None:
        self.topic = stand.topic(topic)
        self._stand = stand
        self._program: Program | None = None

    def prepare(self, *, first: int, rows: int) -> None:
        """Start the program and let it make the records."""
        self._program = Program(
            "producer",
            self._stand.folder,
            bootstrap=self._stand.kafka.bootstrap,
            topic=self.topic,
            partitions=self._stand.settings.partitions,
            first=first,
            rows=rows,
        )
        self._program.expect("ready", within=_START_SECONDS_MAX)

    def begin(self) -> None:
        """Say the word."""
        if self._program is not None:
            self._program.tell("go")

    def close(self) -> None:
        """End the program."""
        if self._program is not None:
            self._program.kill()
            self._program = None
