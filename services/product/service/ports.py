"""What the use cases need of the world."""

from collections.abc import Sequence
from typing import Protocol

from services.product.domain.product import Product, Sku


class Products(Protocol):
    """The catalogue's rows."""

    async def read(self, sku: Sku) -> Product:
        """Read one product; raise ProductNotFound."""
        ...

    async def after(self, sku: int, *, count: int) -> Sequence[Product]:
        """Read up to `count` products with greater skus, ascending."""
        ...


class Gate(Protocol):
    """Where every call begins."""

    async def enter(self) -> None:
        """Return when the call may go on; raise TooManyCalls."""
        ...
