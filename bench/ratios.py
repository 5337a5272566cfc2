"""Ratios of one run: round by round, ours over the other, with their spread."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """A named ratio, one value per round; of a take-over, its seconds."""

    name: str
    values: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median over the rounds."""
        return statistics.median(self.values)

    def line(self) -> str:
        """The closing line."""
        return f"bench: {self.name} {self.middle:.2f} [{min(self.values):.2f}..{max(self.values):.2f}]"


def ratio(name: str, over: Sequence[float], under: Sequence[float]) -> list[Ratio]:
    """`over` divided by `under`, round by round; nothing where one side did not take part."""
    values = tuple(a / b for a, b in zip(over, under, strict=False) if b)
    return [Ratio(name, values)] if values else []


def quantile(ordered: Sequence[float], q: float) -> float:
    """The value below which the part `q` of an ordered sequence lies; nan of nothing."""
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else float("nan")
