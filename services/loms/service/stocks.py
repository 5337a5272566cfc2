"""The use case of stock: how many pieces of a sku can be ordered."""

from services.loms.domain.ids import Sku
from services.loms.service.ports import UnitOfWork


class StockService:
    """Reads stock."""

    def __init__(self, *, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def available(self, sku: Sku) -> int:
        """Return total minus reserved, never below 0; raise SkuNotFound."""
        async with self._unit_of_work.statements() as tx:
            stock = await tx.stocks.read(sku)
        return stock.available
