"""Reads the statements beside this module: `statement("claim_lanes")` is `sql/claim_lanes.sql`."""

from functools import cache
from importlib import resources


@cache
def statement(name: str) -> str:
    """Return the text of one statement."""
    return (
        resources.files("services.notification.repository").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    )
