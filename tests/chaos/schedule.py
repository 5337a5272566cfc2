"""What strikes, when, and what strikes together: drawn from a seed, the same for the same seed.

Every round holds every fault once, in another order; some strike in pairs that do not claim the same thing.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.faults import FAULTS, Fault

_PAIRS = 0.4
_PAUSE_SECONDS = (0.2, 2.0)


@dataclass(frozen=True, slots=True)
class Step:
    """One or two faults at once, after a pause; `seed` decides their details."""

    number: int
    pause_seconds: float
    faults: Sequence[Fault]
    seed: str


def steps(seed: int, names: Sequence[str] = tuple(FAULTS)) -> Iterator[Step]:
    """The schedule of a seed, without end."""
    chance = random.Random(f"schedule/{seed}")
    number = 0
    while True:
        for faults in _round(chance, names):
            number += 1
            yield Step(number, chance.uniform(*_PAUSE_SECONDS), faults, f"{seed}/{number}")


def steps_of_a_round(seed: int, names: Sequence[str] = tuple(FAULTS)) -> list[Step]:
    """Every fault once."""
    found: list[Step] = []
    for step in steps(seed, names):
        found.append(step)
        if sum(len(each.faults) for each in found) == len(names):
            break
    return found


def _round(chance: random.Random, names: Sequence[str]) -> Iterator[Sequence[Fault]]:
    waiting = [FAULTS[name] for name in chance.sample(names, len(names))]
    while waiting:
        first = waiting.pop()
        mates = [fault for fault in waiting if not fault.claims & first.claims]
        if mates and chance.random() < _PAIRS:
            mate = chance.choice(mates)
            waiting.remove(mate)
            yield first, mate
        else:
            yield (first,)
