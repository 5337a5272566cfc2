"""Stock of one sku, and what a reservation found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.loms.domain.ids import Sku


@dataclass(frozen=True, slots=True)
class Stock:
    """The pieces of one sku: all of them, and those that orders hold."""

    sku: Sku
    total: int
    reserved: int

    @property
    def available(self) -> int:
        """Return how many can be ordered; 0 also where more is reserved than there is."""
        return max(self.total - self.reserved, 0)


@dataclass(frozen=True, slots=True)
class Reservation:
    """The outcome of reserving all items of an order, or none.

    Attributes:
        short: the skus that had too little, ascending; empty when everything is reserved.
        at: the database's clock after the stock rows were locked.
    """

    short: Sequence[Sku]
    at: datetime

    @property
    def complete(self) -> bool:
        """Return whether all items are reserved."""
        return not self.short
