"""The stock rows, to be read; they change with the orders that hold their pieces."""

from services.loms.domain.errors import SkuNotFound
from services.loms.domain.ids import Sku
from services.loms.domain.stock import Stock
from services.loms.repository.connection import Connection
from services.loms.repository.statements import statement


class Stocks:
    """The port `Stocks` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read(self, sku: Sku) -> Stock:
        """Read the stock of a sku as committed."""
        row = await self._connection.fetchrow(statement("read_stock"), sku)
        if row is None:
            raise SkuNotFound(sku)
        return Stock(row["sku"], row["total"], row["reserved"])
