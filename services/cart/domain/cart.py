"""What lies in a cart, and what it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NewType

UserId = NewType("UserId", int)
Sku = NewType("Sku", int)
OrderId = NewType("OrderId", int)

ID_MAX = 2**63 - 1
"""Ids and sums are 64-bit."""


@dataclass(frozen=True, slots=True)
class CartItem:
    """Some pieces of one sku."""

    sku: Sku
    count: int


@dataclass(frozen=True, slots=True)
class ProductCard:
    """What the catalogue says of a sku: its name, its price in whole units."""

    sku: Sku
    name: str
    price: int


@dataclass(frozen=True, slots=True)
class Line:
    """An item of a cart as a person reads it."""

    sku: Sku
    name: str
    count: int
    price: int


@dataclass(frozen=True, slots=True)
class PricedCart:
    """A cart as a person reads it, by sku ascending, and what it comes to."""

    lines: Sequence[Line]
    total_price: int


def priced(items: Sequence[CartItem], cards: Sequence[ProductCard]) -> PricedCart:
    """Put a name and a price to every item; `cards` stand in the order of the items."""
    pairs = zip(items, cards, strict=True)
    lines = [Line(item.sku, card.name, item.count, card.price) for item, card in pairs]
    return PricedCart(lines, sum(line.count * line.price for line in lines))
