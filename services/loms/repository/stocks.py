"""The stock rows: every statement that changes one locks its rows in sku order first."""

from collections.abc import Sequence

from services.loms.domain.errors import SkuNotFound
from services.loms.domain.ids import Sku
from services.loms.domain.items import Item
from services.loms.domain.stock import Reservation, Stock
from services.loms.repository.connection import Connection
from services.loms.repository.statements import statement


class StockRowsMissing(Exception):
    """Stock rows that an order holds pieces of are gone: somebody deleted them."""


class Stocks:
    """The port `Stocks` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def reserve(self, items: Sequence[Item]) -> Reservation:
        """Reserve all items, or none of them, in one statement."""
        row = await self._connection.fetchrow(statement("reserve_stock"), *columns(items))
        assert row is not None  # noqa: S101 - for the type checker: an aggregate returns a row
        return Reservation(short=tuple(row["short"]), at=row["at"])

    async def sell(self, items: Sequence[Item]) -> None:
        """Take reserved pieces out of the stock."""
        await self._change("sell_stock", items)

    async def release(self, items: Sequence[Item]) -> None:
        """Give reserved pieces back."""
        await self._change("release_stock", items)

    async def read(self, sku: Sku) -> Stock:
        """Read the stock of a sku as committed."""
        row = await self._connection.fetchrow(statement("read_stock"), sku)
        if row is None:
            raise SkuNotFound(sku)
        return Stock(row["sku"], row["total"], row["reserved"])

    async def _change(self, name: str, items: Sequence[Item]) -> None:
        done = await self._connection.execute(statement(name), *columns(items))
        if done != f"UPDATE {len(items)}":
            raise StockRowsMissing(f"{done} for {len(items)} items")


def columns(items: Sequence[Item]) -> tuple[list[int], list[int]]:
    """Return the items as two columns, skus and counts: what `unnest` takes."""
    return [item.sku for item in items], [item.count for item in items]
