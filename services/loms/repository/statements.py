"""The statements of this service by name: `statement("lock_order")` is `sql/lock_order.sql`."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from outbox.fragments import insert_rows

_FOLDER = Path(__file__).parent / "sql"
_INSERT_ROWS = "{insert_rows}"


@cache
def statement(name: str) -> str:
    """Return the text of a statement, with the outbox's INSERT where it asks for it; it is read once."""
    return (_FOLDER / f"{name}.sql").read_text().replace(_INSERT_ROWS, insert_rows())


def functions() -> Sequence[str]:
    """Return the statements that put this service's functions into the database, whatever version is there."""
    return [statement(f"functions/{path.stem}") for path in sorted((_FOLDER / "functions").glob("*.sql"))]
