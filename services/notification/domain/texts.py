"""What people read, by language. A language is one more `Catalogue`; no other module holds a word of prose."""

from collections.abc import Callable
from dataclasses import dataclass

from services.notification.domain.change import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The words of one language. `items` owns its plurals; `alerts` take the order's number."""

    order: Callable[[int], str]
    items: Callable[[int], str]
    placed: str
    paid: str
    assembled: str
    failed: str
    cancelled: str
    alerts: dict[Status, Callable[[int], str]]
    details: str
    mute: str
    cancel_order: str


def _english_items(count: int) -> str:
    return f"{count:,} item" if count == 1 else f"{count:,} items"


ENGLISH = Catalogue(
    order=lambda number: f"Order {number}",
    items=_english_items,
    placed="Placed",
    paid="Paid",
    assembled="Assembled",
    failed="Not enough in stock",
    cancelled="Cancelled",
    alerts={
        Status.PAID: lambda number: f"✅ Order {number} is paid.",
        Status.FAILED: lambda number: f"❌ Order {number} could not be placed: not enough in stock.",
        Status.CANCELLED: lambda number: f"🚫 Order {number} was cancelled.",
    },
    details="Details",
    mute="🔕 Mute ▾",
    cancel_order="Cancel order",
)

CATALOGUES = {"en": ENGLISH}


def catalogue(language: str) -> Catalogue:
    """Return the catalogue of a language, the English one for a language we do not speak."""
    return CATALOGUES.get(language, ENGLISH)
