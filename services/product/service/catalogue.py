"""The use cases of the catalogue. Every call passes the gate first, whichever face it came through."""

from collections.abc import Sequence

from services.product.domain.product import Product, Sku
from services.product.service.ports import Gate, Products


class CatalogueService:
    """Reads products."""

    def __init__(self, *, products: Products, gate: Gate) -> None:
        self._products = products
        self._gate = gate

    async def product(self, sku: Sku) -> Product:
        """Read one product. Raises ProductNotFound, TooManyCalls."""
        await self._gate.enter()
        return await self._products.read(sku)

    async def page(self, *, count: int, start_after_sku: int) -> Sequence[Product]:
        """Read up to `count` products with greater skus, ascending; empty at the end. Raises TooManyCalls."""
        await self._gate.enter()
        return await self._products.after(start_after_sku, count=count)
