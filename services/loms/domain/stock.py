"""Stock of one sku."""

from dataclasses import dataclass

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
