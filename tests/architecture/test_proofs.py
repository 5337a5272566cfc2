"""The page of proofs names every experiment and every crash point, and nothing that is not there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.planted.register import MISTAKES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture" / "proofs.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))
EXPERIMENTS = ("E1", "E2", "E3", "E4", "E5", "U", "P", "C", "X", "L", "K", "O")
CRASH_POINTS = 14


@cache
def _defined(path: Path) -> frozenset[str]:
    """The functions and classes of a module."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(each.name for each in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(each, kinds))


def _rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    _, _, after = PAGE.partition(f"\n## {heading}\n")
    lines = [line for line in after.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_everything_named_as_a_proof_exists(file: str, name: str) -> None:
    assert name in _defined(ROOT / "tests" / file)


def test_every_experiment_has_its_proof() -> None:
    assert {row[0] for row in _rows("Experiments")} == set(EXPERIMENTS)


def test_every_crash_point_has_its_proof() -> None:
    assert len(_rows("Where a process can end")) == CRASH_POINTS


def test_every_claim_has_something_that_could_have_been_caught() -> None:
    rows = [*_rows("Experiments"), *_rows("Where a process can end")]

    assert [row[:2] for row in rows if "::" not in row[2] or not re.search(r"PB-\d\d|::", row[3])] == []


def test_every_planted_mistake_named_is_planted() -> None:
    planted = {mistake.name for mistake in MISTAKES}

    assert set(re.findall(r"PB-\d\d", PAGE)) - planted == set()
