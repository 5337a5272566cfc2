"""What an order asks for: each sku once, by sku ascending."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from services.loms.domain.errors import CountTooLarge
from services.loms.domain.ids import Sku

COUNT_MAX = 2**32 - 1
"""What a uint32 can say: the range of a count on the wire."""


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """Some pieces of one sku."""

    sku: Sku
    count: int


def summed(lines: Iterable[Item]) -> tuple[Item, ...]:
    """Return the lines with each sku once and its counts added, in sku order: the order in which stock is locked.

    Raises CountTooLarge where a sum leaves the range of a count.
    """
    totals: Counter[Sku] = Counter()
    for line in lines:
        totals[line.sku] += line.count
    for sku, count in totals.items():
        if count > COUNT_MAX:
            raise CountTooLarge(sku, count)
    return tuple(Item(sku, totals[sku]) for sku in sorted(totals))
