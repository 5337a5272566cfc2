"""What a part brings home: rows for the table, ratios for the closing lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.ratios import Ratio

Row = Mapping[str, Any]


@dataclass(slots=True)
class Findings:
    """Of one part.

    Attributes:
        part: its name.
        rows: one per turn, in the order of the run.
        ratios: what the turns say together.
        wrong: events of ours that were lost, doubled or out of order, in words; must stay empty.
    """

    part: str
    rows: list[Row] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def column(self, key: str, **where: Any) -> list[float]:
        """The values of a column in the rows that match, in the order of the rounds."""
        return [row[key] for row in self.rows if all(row.get(name) == value for name, value in where.items())]

    def say(self, row: Row) -> None:
        """Keep a row and print it, so that a long run shows that it lives."""
        self.rows.append(row)
        print(f"  {self.part}: {spelled(row)}", flush=True)


def spelled(row: Row) -> str:
    """A row in one line."""
    return "  ".join(f"{name} {number(value)}" for name, value in row.items())


def number(value: object) -> str:
    """A value as people read it."""
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def wrongs(row: Row, names: Sequence[str] = ("lost", "doubled", "disordered")) -> list[str]:
    """What must not happen to ours, and did."""
    happened = [f"{name} {row[name]}" for name in names if row[name]]
    return [f"{spelled(row)}: {', '.join(happened)}"] if happened else []
