"""The checker's SQL: one statement a file, read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> str:
    """Give the text of `sql/<name>.sql`."""
    return (files("verification") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
