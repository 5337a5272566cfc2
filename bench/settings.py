"""What a run is told: how long, how often, how much; every field with its bounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONTESTANTS = ("ours", "floor", "classic", "tuned", "default")
DRAINED = ("ours", "producer", "classic", "tuned", "default")

_BOUNDS = {
    "seconds": (0.5, 3_600),
    "warm_seconds": (0.0, 600),
    "repeat": (1, 100),
    "rows": (1_000, 10_000_000),
    "held_seconds": (1, 86_400),
    "held_rate": (1, 100_000),
    "takeovers": (1, 1_000),
    "messages": (10, 1_000_000),
    "writers": (1, 64),
    "partitions": (1, 64),
}


def in_turn(names: Sequence[str], round_number: int) -> Sequence[str]:
    """The order of a round: forward, then backward, so that nobody is always the first after the same other."""
    return names if round_number % 2 else names[::-1]


class BadSetting(ValueError):
    """A setting outside its bounds, or an unknown name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to measure.

    Attributes:
        seconds: of each turn at one rate, and of each pgbench run.
        warm_seconds: in front of each turn, not counted; 0 leaves the JVMs cold too.
        repeat: rounds; in each round every contestant has one turn.
        rates: events per second.
        rows: of a drain; a tenth more are applied by the inbox.
        held_seconds: how long a snapshot is held.
        held_rate: events per second meanwhile.
        takeovers: how often the owner of the lease is killed, and how often asked to go.
        messages: a sender has before it, each for another chat.
        contestants: who takes part.
        writers: connections of the load and of pgbench; must divide the number of orders.
        partitions: of every topic.
        results: where the JSON and the picture go.
    """

    seconds: float = 15.0
    warm_seconds: float = 3.0
    repeat: int = 3
    rates: tuple[int, ...] = (200, 1_000, 2_000)
    rows: int = 300_000
    held_seconds: float = 180.0
    held_rate: int = 1_000
    takeovers: int = 10
    messages: int = 1_000
    contestants: tuple[str, ...] = (*CONTESTANTS, "producer")
    writers: int = 16
    partitions: int = 2
    results: Path = Path(".onelane/bench")

    def __post_init__(self) -> None:
        """Refuse the first thing that cannot be meant."""
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadSetting(f"{name} = {value}: must lie between {low:g} and {high:g}")
        unknown = set(self.contestants) - {*CONTESTANTS, *DRAINED}
        if unknown:
            raise BadSetting(f"unknown contestants {sorted(unknown)}; there are {', '.join(CONTESTANTS)}, producer")
