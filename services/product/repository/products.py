"""The catalogue's rows, each statement on a connection of the pool."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from asyncpg import Record

from services.product.domain.errors import ProductNotFound
from services.product.domain.product import Product, Sku
from services.product.repository.statements import statement


class Connection(Protocol):
    """Runs a statement."""

    async def fetchrow(self, query: str, *arguments: Any) -> Record | None:
        """Return the first row."""
        ...

    async def fetch(self, query: str, *arguments: Any) -> list[Record]:
        """Return all rows."""
        ...


class Pool(Protocol):
    """Lends connections."""

    def acquire(self) -> AbstractAsyncContextManager[Connection]:
        """Lend one for a block."""
        ...


class Products:
    """The port `Products` over a pool."""

    def __init__(self, *, pool: Pool) -> None:
        self._pool = pool

    async def read(self, sku: Sku) -> Product:
        """Read one product; raise ProductNotFound."""
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(statement("read_product"), sku)
        if row is None:
            raise ProductNotFound(sku)
        return _product(row)

    async def after(self, sku: int, *, count: int) -> Sequence[Product]:
        """Read up to `count` products with greater skus, ascending."""
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(statement("read_page"), sku, count)
        return [_product(row) for row in rows]


def _product(row: Record) -> Product:
    return Product(Sku(row["sku"]), row["name"], row["price"])
