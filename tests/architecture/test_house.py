"""The house keeps its own rules: settings are documented, topics have owners and examples, metrics are used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from events.topics import catalogue
from tests.containers import compose
from tests.settings_read import SETTINGS_MODULES, settings_classes, variables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CODE = ("bench", "chassis", "cli", "events", "inbox", "outbox", "rpc", "services", "stack", "verification")
READ_BY_COMPOSE_ITSELF = {"COMPOSE_PROFILES"}
METRIC = re.compile(r"^([A-Z][A-Z0-9_]+)(?:: \w+)? = (?:Counter|Gauge|Histogram|Summary)\(", re.MULTILINE)
METRICS = sorted(path for folder in CODE for path in (ROOT / folder).rglob("metrics.py"))
PAGES = sorted(page for page in ROOT.rglob("*.md") if not any(part[0] == "." for part in page.relative_to(ROOT).parts))
"""Ours, not those of an environment or a cache."""


def test_every_setting_stands_in_the_example() -> None:
    documented = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert set(_settings()) - documented == set()


def test_the_example_names_no_setting_that_nobody_reads() -> None:
    documented = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert documented - set(_settings()) - compose.variables() - READ_BY_COMPOSE_ITSELF == set()


@pytest.mark.parametrize("name", catalogue().names)
def test_every_topic_is_written_and_owned_by_a_service(name: str) -> None:
    services = {path.name for path in (ROOT / "services").iterdir() if (path / "README.md").exists()}

    assert {catalogue()[name].producer, catalogue()[name].owner} <= services


@pytest.mark.parametrize("path", METRICS, ids=lambda path: path.parent.name)
def test_every_metric_is_used(path: Path) -> None:
    declared = METRIC.findall(path.read_text())
    beside = "".join(other.read_text() for other in path.parent.rglob("*.py") if other != path)

    assert [name for name in declared if not re.search(rf"\b{name}\b", beside)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"^\$ make ([a-z-]+)", page.read_text(), re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert named - targets == set()


def test_nothing_is_left_to_do_later() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|@@\w+@@")
    sources = [*PAGES, *(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))]

    assert [path for path in sources if marks.search(path.read_text())] == []


def _settings() -> Iterator[str]:
    yield from _settings_of_services()
    for path in (ROOT / "stack").rglob("*.py"):
        yield from re.findall(r"\"(ONELANE_[A-Z0-9_]+)\"", path.read_text())


def _settings_of_services() -> Iterator[str]:
    for module in SETTINGS_MODULES:
        for settings in settings_classes(module).values():
            yield from variables_of(settings)
