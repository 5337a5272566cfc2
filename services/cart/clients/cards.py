"""The catalogue behind a cache: names and prices by sku, a little old at most, one live call for a missing sku.

Only what the catalogue answered is kept, for a short time; an error never is. While a shard is away its skus are served
from a small copy in this process, no older than a card in a shard may be.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

from chassis.deadline import remaining
from services.cart.clients.flights import Flights
from services.cart.domain.cart import ProductCard, Sku
from services.cart.domain.errors import DeadlinePassed
from services.cart.metrics import CARD_LOOKS
from services.cart.service.together import together

_COPIES_MAX = 1_000


class Live(Protocol):
    """The catalogue itself."""

    async def card(self, sku: Sku) -> ProductCard:
        """Read one product now. Raises UnknownSku, NeighbourAway, DeadlinePassed."""
        ...


class Kept(Protocol):
    """The shards."""

    async def read(self, skus: Sequence[Sku]) -> Mapping[Sku, ProductCard]:
        """Return the cards that are there; a shard that is away has none."""
        ...

    async def write(self, card: ProductCard) -> None:
        """Keep a card."""
        ...

    def is_away(self, sku: Sku) -> bool:
        """Whether the shard of a sku failed to answer a moment ago."""
        ...


class CachedCatalogue:
    """The port `Catalogue`: shards first, then, for what is missing, live calls side by side."""

    def __init__(self, *, live: Live, kept: Kept, copy_seconds_max: float) -> None:
        self._live = live
        self._kept = kept
        self._copy_seconds_max = copy_seconds_max
        self._copies: OrderedDict[Sku, tuple[float, ProductCard]] = OrderedDict()
        self._flights: Flights[Sku, ProductCard] = Flights()

    async def cards(self, skus: Sequence[Sku]) -> Sequence[ProductCard]:
        """Return the cards in the order of the skus. Raises UnknownSku, NeighbourAway, DeadlinePassed."""
        found = dict(await self._kept.read(skus))
        CARD_LOOKS.labels("shard").inc(len(found))
        for sku in skus:
            if sku not in found and (copy := self._copy(sku)):
                found[sku] = copy
        missing = [sku for sku in skus if sku not in found]
        live = await together(self._called(sku) for sku in missing)
        found.update(zip(missing, live, strict=True))
        return [found[sku] for sku in skus]

    async def _called(self, sku: Sku) -> ProductCard:
        """Join the call that is up. It may end with its first caller's deadline: who has time left calls anew."""
        while True:
            joined = self._flights.is_up(sku)
            CARD_LOOKS.labels("joined" if joined else "live").inc()
            try:
                return await self._flights.join(sku, lambda: self._fetched(sku))
            except DeadlinePassed:
                if not joined or remaining(1.0) == 0:
                    raise

    async def _fetched(self, sku: Sku) -> ProductCard:
        card = await self._live.card(sku)
        self._copies[sku] = (time.monotonic(), card)
        self._copies.move_to_end(sku)
        if len(self._copies) > _COPIES_MAX:
            self._copies.popitem(last=False)
        await self._kept.write(card)
        return card

    def _copy(self, sku: Sku) -> ProductCard | None:
        read_at, card = self._copies.get(sku, (0.0, None))
        if card is None or not self._kept.is_away(sku) or time.monotonic() - read_at > self._copy_seconds_max:
            return None
        CARD_LOOKS.labels("stale").inc()
        return card
