"""Refusals: expected answers of the domain, each named as a fact and carrying its facts.

`api/errors.py` says which gRPC code and which HTTP status each of them is.
"""

from services.product.domain.product import Sku


class Refusal(Exception):
    """The root of all expected answers."""


class ProductNotFound(Refusal):
    """The catalogue does not know this sku."""

    def __init__(self, sku: Sku) -> None:
        super().__init__(f"there is no product with sku {sku}")
        self.sku = sku


class TooManyCalls(Refusal):
    """The catalogue has started as many calls in this second as it may: ask again later."""

    def __init__(self, calls_per_second_max: int) -> None:
        super().__init__(f"more than {calls_per_second_max} calls in a second: ask again in a moment")
        self.calls_per_second_max = calls_per_second_max
