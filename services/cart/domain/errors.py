"""Refusals: expected answers of the domain, each named as a fact and carrying its facts.

`api/errors.py` says which HTTP status each of them is.
"""

from services.cart.domain.cart import CartItem, Sku, UserId


class Refusal(Exception):
    """The root of all expected answers."""


class CartIsEmpty(Refusal):
    """There is nothing in the cart."""

    def __init__(self, user_id: UserId) -> None:
        super().__init__(f"the cart of user {user_id} is empty")
        self.user_id = user_id


class UnknownSku(Refusal):
    """The catalogue does not know this sku."""

    def __init__(self, sku: Sku) -> None:
        super().__init__(f"there is no product with sku {sku}")
        self.sku = sku


class NotEnoughStock(Refusal):
    """The cart would hold more pieces than can be had."""

    def __init__(self, item: CartItem, *, in_cart: int, available: int) -> None:
        wish = f"{item.count} more than the {in_cart} in the cart" if in_cart else f"{item.count}"
        super().__init__(f"of sku {item.sku} only {available} can be had, {wish} were asked for")
        self.sku = item.sku
        self.asked = item.count
        self.in_cart = in_cart
        self.available = available


class OrderRefused(Refusal):
    """LOMS does not take the order; the cart stays as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class CheckoutUnderWay(Refusal):
    """The same checkout is running at this moment: ask again."""

    def __init__(self, user_id: UserId) -> None:
        super().__init__(f"a checkout of user {user_id} is under way: ask again in a moment")
        self.user_id = user_id


class NeighbourAway(Refusal):
    """A service we need did not answer; nothing is known to have changed. The same request may be sent again."""

    def __init__(self, neighbour: str) -> None:
        super().__init__(f"{neighbour} did not answer: send the same request again in a moment")
        self.neighbour = neighbour


class DeadlinePassed(Refusal):
    """The request took longer than it may. The same request may be sent again."""

    def __init__(self, neighbour: str) -> None:
        super().__init__(f"{neighbour} did not answer in time: send the same request again in a moment")
        self.neighbour = neighbour
