"""One passage from a cart to an order: what was in the cart when it began, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from services.cart.domain.cart import CartItem, OrderId, UserId

OPEN_FOR_MOST = timedelta(hours=20)
"""How long an open checkout is gone on with.

LOMS keeps the answer to its key for 24 hours at least, and longer is not promised. By then an order that nobody paid
is cancelled.
"""


class State(StrEnum):
    """`open` until LOMS has answered and the cart was told; whoever comes next goes on with an open one."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A checkout.

    Attributes:
        id: made once; LOMS is called with it as the idempotency key, however often.
        user_id: whose cart it is.
        items: what was in the cart when it began: what is ordered, and what leaves the cart.
        state: where it stands.
        order_id: the order, once it is done.
    """

    id: UUID
    user_id: UserId
    items: Sequence[CartItem]
    state: State
    order_id: OrderId | None = None
