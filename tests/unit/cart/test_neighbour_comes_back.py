"""A catalogue that comes back is found by a request of any size: none of its calls gets in the way of the try."""

import asyncio

import pytest

from chassis.breaker import Breaker
from services.cart.clients.cards import CachedCatalogue
from services.cart.domain.cart import ProductCard, Sku
from services.cart.domain.errors import NeighbourAway
from tests.unit.cart.test_cards import Kept


class Live:
    """The catalogue behind its breaker: away, then answering after a turn of the loop, on a clock set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.is_away = True
        self.answered = 0
        self.breaker = Breaker(
            is_failure=lambda error: isinstance(error, NeighbourAway),
            calls_min=2,
            open_seconds=2,
            monotonic=lambda: self.seconds,
        )

    async def card(self, sku: Sku) -> ProductCard:
        return await self.breaker.call(lambda: self._answer(sku))

    async def _answer(self, sku: Sku) -> ProductCard:
        await asyncio.sleep(0)
        if self.is_away:
            raise NeighbourAway("product")
        self.answered += 1
        return ProductCard(sku, f"sku {sku}", 10)


@pytest.mark.parametrize("misses", [1, 2, 11])
async def test_the_first_request_after_the_pause_succeeds_however_many_cards_it_misses(misses: int) -> None:
    live = Live()
    catalogue = CachedCatalogue(live=live, kept=Kept(), copy_seconds_max=60.0)
    for _ in range(2):
        with pytest.raises(NeighbourAway):
            await catalogue.cards([Sku(1)])
    live.seconds, live.is_away = 2.0, False

    cards = await catalogue.cards([Sku(number) for number in range(1, misses + 1)])

    assert [card.sku for card in cards] == list(range(1, misses + 1))
    assert live.answered == misses
