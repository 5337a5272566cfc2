"""What the use cases need of the world."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from services.cart.domain.cart import CartItem, OrderId, ProductCard, Sku, UserId
from services.cart.domain.checkout import Checkout


class Carts(Protocol):
    """What lies in the carts; every call is one transaction."""

    async def add(self, user_id: UserId, item: CartItem, *, available: int) -> None:
        """Add pieces to what is there; raise NotEnoughStock, and change nothing, if that were more than `available`."""
        ...

    async def remove(self, user_id: UserId, sku: Sku) -> None:
        """Take a sku out, if it is there."""
        ...

    async def clear(self, user_id: UserId) -> None:
        """Take everything out."""
        ...

    async def read(self, user_id: UserId) -> Sequence[CartItem]:
        """Read the items by sku, ascending."""
        ...


class Checkouts(Protocol):
    """The passages from carts to orders; every call is one transaction."""

    async def begin(self, user_id: UserId, key: str | None) -> Checkout:
        """Return the checkout to go on with: the done one of this key, the open one, or a new one; raise CartIsEmpty.

        A user has one open checkout at most, whoever asks and however many at once.
        """
        ...

    async def finish(self, checkout: Checkout, order_id: OrderId) -> None:
        """Mark it done and take out of the cart exactly what was ordered, both or neither, once."""
        ...

    async def refuse(self, checkout: Checkout) -> None:
        """Mark it refused; the cart stays as it is, and the next checkout is a new one."""
        ...


class OldCheckouts(Protocol):
    """Checkouts nobody comes back to; every call is one transaction."""

    async def give_up(self, *, after: timedelta, count_max: int) -> int:
        """End some checkouts that have been open for so long; return how many."""
        ...

    async def forget(self, *, after: timedelta, count_max: int) -> int:
        """Delete some checkouts that ended so long ago, with their keys; return how many."""
        ...


class Catalogue(Protocol):
    """What skus are called and cost."""

    async def cards(self, skus: Sequence[Sku]) -> Sequence[ProductCard]:
        """Return a card for each sku, in their order. Raises UnknownSku, NeighbourAway, DeadlinePassed."""
        ...


class Stock(Protocol):
    """How much there is."""

    async def available(self, sku: Sku) -> int:
        """Return the pieces that can be ordered, 0 for a sku without stock. Raises NeighbourAway, DeadlinePassed."""
        ...


class Orders(Protocol):
    """Where orders are placed."""

    async def create(self, user_id: UserId, items: Sequence[CartItem], *, key: str) -> OrderId:
        """Place an order; with the same key the same order. Raises OrderRefused.

        NeighbourAway, DeadlinePassed and CheckoutUnderWay leave open whether it was placed.
        """
        ...
