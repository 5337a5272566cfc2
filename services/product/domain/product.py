"""What the catalogue knows of a sku."""

from dataclasses import dataclass
from typing import NewType

Sku = NewType("Sku", int)

SKU_MAX = 2**63 - 1
PAGE_MAX = 1_000
"""Products in one answer at most."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product: its name as people read it, its price in whole units of the shop's currency."""

    sku: Sku
    name: str
    price: int
