"""The README's table of packages tells the truth: each is imported where it is said to be."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = {
    "faust-streaming": "faust",
    "opentelemetry-sdk": "opentelemetry.sdk",
    "prometheus-client": "prometheus_client",
    "python-telegram-bot": "telegram",
}
"""Where a package's module has another name."""
FIXED = {
    *("aiokafka", "asyncpg", "faust-streaming", "opentelemetry-sdk", "prometheus-client", "pydantic", "pytest"),
    *("python-telegram-bot", "redis", "sqlalchemy", "testcontainers"),
}


def rows() -> Iterator[tuple[str, list[str]]]:
    """Each package with the places named for it; a pattern stands as its link's text, a path as its target."""
    _, _, table = (ROOT / "README.md").read_text(encoding="utf-8").partition("| package | where | why there |")
    for line in table.partition("\n\n")[0].splitlines()[2:]:
        package, where, why = (cell.strip() for cell in line.strip("|").split("|"))
        assert why
        links = re.findall(r"\[`([^`]+)`\]\(([^)]+)\)", where)
        yield package, [text if "*" in text else target for text, target in links]


TABLE = dict(rows())


def test_the_table_names_the_fixed_packages() -> None:
    assert TABLE.keys() == FIXED


@pytest.mark.parametrize(
    ("package", "place"), [(package, each) for package, places in TABLE.items() for each in places]
)
def test_a_package_is_imported_where_the_readme_says(package: str, place: str) -> None:
    module = re.escape(MODULES.get(package, package))
    imported = re.compile(rf"^\s*(?:from|import) {module}\b", re.MULTILINE)
    files = [file for path in ROOT.glob(place) for file in ([path] if path.is_file() else path.rglob("*.py"))]

    assert any(imported.search(file.read_text(encoding="utf-8")) for file in files), files
