"""The catalogue the platform starts with, from `products.json`: loaded once, never written back."""

import json
from pathlib import Path
from typing import Any

import asyncpg

from services.product.repository.statements import statement

PRODUCTS = Path(__file__).resolve().parent.parent / "products.json"

_CONNECT_SECONDS_MAX = 10.0
_LOAD_SECONDS_MAX = 30.0


async def seed(owner_url: str, path: Path = PRODUCTS) -> int:
    """Load every product of the file whose sku has no row yet; return how many were loaded."""
    columns = _columns(path)
    connection = await asyncpg.connect(owner_url, timeout=_CONNECT_SECONDS_MAX, command_timeout=_LOAD_SECONDS_MAX)
    try:
        done = await connection.execute(statement("seed_products"), *columns)
    finally:
        await connection.close()
    return int(done.rpartition(" ")[2])


def _columns(path: Path) -> list[list[Any]]:
    rows = json.loads(path.read_text())
    return [[row[name] for row in rows] for name in ("sku", "name", "price")]
