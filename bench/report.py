"""A run's outcome for people and programs: medians in a table, ratios as closing lines, everything in a JSON file."""

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.findings import Findings, Row, number
from bench.ratios import Ratio
from bench.settings import Settings

_NAMES = ("contestant", "way", "rate")


def table(found: Findings) -> list[str]:
    """A heading and one line per contestant and rate: the medians over the rounds."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in found.rows:
        groups.setdefault(tuple(row.get(name) for name in _NAMES), []).append(row)
    columns = [name for name in found.rows[0] if name != "round"] if found.rows else []
    cells = [columns, *([number(_median([row[name] for row in rows])) for name in columns] for rows in groups.values())]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]


def closing_lines(parts: Sequence[Findings]) -> list[str]:
    """`bench: <name> <ratio> [low..high]`, one per ratio."""
    return [each.line() for part in parts for each in part.ratios]


def save(parts: Sequence[Findings], settings: Settings, environment: Mapping[str, Any]) -> Path:
    """Write the JSON and return where it lies."""
    settings.results.mkdir(parents=True, exist_ok=True)
    path = settings.results / f"bench-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.json"
    content = {
        "environment": environment,
        "settings": {
            name: str(value) if isinstance(value, Path) else value for name, value in asdict(settings).items()
        },
        "parts": {part.part: {"rows": part.rows, "ratios": [_plain(each) for each in part.ratios]} for part in parts},
        "wrong": [wrong for part in parts for wrong in part.wrong],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def _median(values: Sequence[Any]) -> Any:
    return statistics.median(values) if isinstance(values[0], int | float) else values[0]


def _plain(each: Ratio) -> dict[str, Any]:
    return {"name": each.name, "middle": each.middle, "low": min(each.values), "high": max(each.values)}
