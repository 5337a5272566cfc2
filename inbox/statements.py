"""SQL has a name and a home: one statement a file under `sql/`, read once, never formatted."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> str:
    """Return the statement kept in `sql/<name>.sql`."""
    return (files("inbox") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
