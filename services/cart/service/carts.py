"""The use cases of a cart. What a cart holds is a wish: it reserves nothing."""

from services.cart.domain.cart import CartItem, PricedCart, Sku, UserId, priced
from services.cart.domain.errors import CartIsEmpty
from services.cart.service.ports import Carts, Catalogue, Stock
from services.cart.service.together import together


class CartService:
    """Fills, empties and prices carts."""

    def __init__(self, *, carts: Carts, catalogue: Catalogue, stock: Stock) -> None:
        self._carts = carts
        self._catalogue = catalogue
        self._stock = stock

    async def add(self, user_id: UserId, item: CartItem) -> None:
        """Add pieces to the cart; repeated adds sum.

        Raises UnknownSku, NotEnoughStock (the sum counts), NeighbourAway, DeadlinePassed; then the cart is as it was.
        """
        available = await self._known_and_available(item.sku)
        await self._carts.add(user_id, item, available=available)

    async def remove(self, user_id: UserId, sku: Sku) -> None:
        """Take a sku out, whether it is there or not."""
        await self._carts.remove(user_id, sku)

    async def clear(self, user_id: UserId) -> None:
        """Take everything out."""
        await self._carts.clear(user_id)

    async def list(self, user_id: UserId) -> PricedCart:
        """Read the cart with names and prices of now. Raises CartIsEmpty, UnknownSku, NeighbourAway, DeadlinePassed."""
        items = await self._carts.read(user_id)
        if not items:
            raise CartIsEmpty(user_id)
        return priced(items, await self._catalogue.cards([item.sku for item in items]))

    async def _known_and_available(self, sku: Sku) -> int:
        async def known() -> int:
            await self._catalogue.cards([sku])
            return 0

        _, available = await together([known(), self._stock.available(sku)])
        return available
