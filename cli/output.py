"""How answers are shown: a table for people, JSON with a stable schema for programs.

Answers go to stdout, notes and errors to stderr. Colours appear on a terminal only, and never under ``NO_COLOR``.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

PLAIN_COLUMNS = 200
"""Width of the lines when nobody's terminal limits them: wide enough that no address is cut."""


class OutputFormat(StrEnum):
    """The forms an answer has."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[
    OutputFormat,
    typer.Option("--output", envvar="ONELANE_OUTPUT", help="A table to read, or JSON with a stable schema."),
]
"""The option every command that answers something takes: ``output: Output = OutputFormat.TABLE``."""


def answers() -> Console:
    """The console of stdout."""
    return _console(stderr=False)


def notes() -> Console:
    """The console of stderr, for progress and errors."""
    return _console(stderr=True)


def show_json(value: Any) -> None:
    """Print one JSON document and nothing else."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """Print a table; numbers stand right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = [tuple(row) for row in rows]
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        numeric = bool(cells) and all(isinstance(row[position], int | float) for row in cells)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*(cell if isinstance(cell, Text) else Text(_spoken(cell)) for cell in row))
    answers().print(table)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = PLAIN_COLUMNS
    return console


def _spoken(cell: object) -> str:
    match cell:
        case None:
            return "–"
        case float():
            return f"{cell:,.1f}"
        case bool():
            return "yes" if cell else "no"
        case int():
            return f"{cell:,}"
        case _:
            return str(cell)
