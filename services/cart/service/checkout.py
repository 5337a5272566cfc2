"""The use case that turns a cart into an order: once, whatever dies between its steps.

Begin, call, finish. What begins is on record before LOMS is called, under an id that is LOMS's idempotency key; an
answer that never came, or a process that died, leaves it open, and the next attempt goes on with the same id and the
same items. So one state of a cart never becomes two orders, and what was added meanwhile stays.
"""

from services.cart.domain.cart import OrderId, UserId
from services.cart.domain.checkout import State
from services.cart.domain.errors import OrderRefused
from services.cart.service.ports import Checkouts, Orders


class CheckoutService:
    """Places the order of a cart."""

    def __init__(self, *, checkouts: Checkouts, orders: Orders) -> None:
        self._checkouts = checkouts
        self._orders = orders

    async def checkout(self, user_id: UserId, key: str | None = None) -> OrderId:
        """Order what is in the cart and take exactly that out of it; a repeat with the same key gets the same order.

        Raises CartIsEmpty; OrderRefused (the cart stays); NeighbourAway, DeadlinePassed, CheckoutUnderWay: ask again.
        """
        checkout = await self._checkouts.begin(user_id, key)
        if checkout.state is State.DONE and checkout.order_id is not None:
            return checkout.order_id
        try:
            order_id = await self._orders.create(user_id, checkout.items, key=str(checkout.id))
        except OrderRefused:
            await self._checkouts.refuse(checkout)
            raise
        await self._checkouts.finish(checkout, order_id)
        return order_id
