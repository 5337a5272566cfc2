"""The statements of this service by name: `statement("read_cart")` is `sql/read_cart.sql`."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "sql"


@cache
def statement(name: str) -> str:
    """Return the text of a statement; it is read once."""
    return (_FOLDER / f"{name}.sql").read_text()
