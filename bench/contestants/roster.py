"""Who takes part, made from names."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.contestants.contestant import Contestant
from bench.contestants.debezium import Debezium
from bench.contestants.programs import classic, floor, ours
from bench.debezium.connect import Connect
from bench.stand import Stand
from stack.ports import free_port


class Roster:
    """Makes each contestant once; the JVM of Debezium's modes is one, and starts when first needed."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._connect = Connect(stand.folder / "connect", free_port(), bootstrap=stand.kafka.bootstrap)
        self._made: dict[str, Contestant] = {}

    def __getitem__(self, name: str) -> Contestant:
        """The contestant of this name."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def close(self) -> None:
        """End whatever still runs."""
        for contestant in self._made.values():
            contestant.close()

    def _make(self, name: str) -> Contestant:
        match name:
            case "ours":
                return ours(self._stand)
            case "classic":
                return classic(self._stand)
            case "floor":
                return floor(self._stand)
            case _:
                return Debezium(self._stand, self._connect, name)


@contextmanager
def roster(stand: Stand) -> Iterator[Roster]:
    """A roster that is closed at the end."""
    made = Roster(stand)
    try:
        yield made
    finally:
        made.close()
