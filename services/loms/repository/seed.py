"""The stock the platform starts with, from `stock-data.json`: loaded once, never written back."""

import json
from pathlib import Path

import asyncpg

from services.loms.repository.statements import statement

STOCK_DATA = Path(__file__).resolve().parent.parent / "stock-data.json"

_CONNECT_SECONDS_MAX = 10.0
_LOAD_SECONDS_MAX = 30.0


async def seed(owner_url: str, path: Path = STOCK_DATA) -> int:
    """Load every row of the file whose sku has no row yet; return how many were loaded."""
    columns = _columns(path)
    connection = await asyncpg.connect(owner_url, timeout=_CONNECT_SECONDS_MAX, command_timeout=_LOAD_SECONDS_MAX)
    try:
        done = await connection.execute(statement("seed_stock"), *columns)
    finally:
        await connection.close()
    return int(done.rpartition(" ")[2])


def _columns(path: Path) -> list[list[int]]:
    rows = json.loads(path.read_text())
    return [[row[name] for row in rows] for name in ("sku", "total_count", "reserved")]
