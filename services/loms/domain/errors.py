"""Refusals: expected answers of the domain, each named as a fact and carrying its facts.

`api/errors.py` says which gRPC code each of them is.
"""

from collections.abc import Sequence

from services.loms.domain.ids import OrderId, Sku


class Refusal(Exception):
    """The root of all expected answers."""


class OrderNotFound(Refusal):
    """There is no such order."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"there is no order {order_id}")
        self.order_id = order_id


class SkuNotFound(Refusal):
    """No stock row knows this sku."""

    def __init__(self, sku: Sku) -> None:
        super().__init__(f"there is no stock of sku {sku}")
        self.sku = sku


class IllegalTransition(Refusal):
    """The order's status does not allow the move."""

    def __init__(self, order_id: OrderId, status: str, requested: str) -> None:
        super().__init__(f"order {order_id} is {status}: it cannot become {requested}")
        self.order_id = order_id
        self.status = status
        self.requested = requested


class OutOfStock(Refusal):
    """An order was recorded as failed because of these skus, where they are known; no stock changed."""

    def __init__(self, order_id: OrderId, skus: Sequence[Sku]) -> None:
        self.order_id = order_id
        self.skus = ", ".join(map(str, skus))
        super().__init__(f"order {order_id} failed: not enough stock" + (f" of sku {self.skus}" if skus else ""))


class CountTooLarge(Refusal):
    """The lines of one sku add up to more than a count can say."""

    def __init__(self, sku: Sku, count: int) -> None:
        super().__init__(f"the lines of sku {sku} add up to {count}, more than a count can say")
        self.sku = sku
        self.count = count


class IdempotencyKeyReused(Refusal):
    """The key belongs to a request with another body."""

    def __init__(self, key: str) -> None:
        super().__init__(f"idempotency key {key!r} was used for another request")
        self.key = key


class RequestInProgress(Refusal):
    """The first request with this key is still running."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the first request with idempotency key {key!r} is still running")
        self.key = key
