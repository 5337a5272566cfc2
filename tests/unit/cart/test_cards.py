"""The cache before the catalogue: shards first, one live call for what is missing, copies while a shard is away."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from chassis.deadline import deadline
from services.cart.clients.cards import CachedCatalogue
from services.cart.domain.cart import ProductCard, Sku
from services.cart.domain.errors import DeadlinePassed, NeighbourAway

SKU = Sku(1002)


class Live:
    """The catalogue: answers, fails, or waits until told."""

    def __init__(self) -> None:
        self.calls: list[Sku] = []
        self.errors: list[Exception] = []
        self.price = 10
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def card(self, sku: Sku) -> ProductCard:
        self.calls.append(sku)
        await self.may_answer.wait()
        if self.errors:
            raise self.errors.pop(0)
        return ProductCard(sku, f"sku {sku}", self.price)


class Kept:
    """The shards, which may be away."""

    def __init__(self) -> None:
        self.cards: dict[Sku, ProductCard] = {}
        self.away = False

    async def read(self, skus: Sequence[Sku]) -> Mapping[Sku, ProductCard]:
        return {} if self.away else {sku: self.cards[sku] for sku in skus if sku in self.cards}

    async def write(self, card: ProductCard) -> None:
        if not self.away:
            self.cards[card.sku] = card

    def is_away(self, _sku: Sku) -> bool:
        return self.away


@pytest.fixture
def live() -> Live:
    return Live()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def catalogue(live: Live, kept: Kept) -> CachedCatalogue:
    return CachedCatalogue(live=live, kept=kept, copy_seconds_max=60.0)


async def test_what_is_kept_is_not_asked_for(catalogue: CachedCatalogue, live: Live) -> None:
    skus = [Sku(3), Sku(1), Sku(2)]
    first = await catalogue.cards(skus)

    again = await catalogue.cards(skus)

    assert [card.sku for card in first] == [3, 1, 2]
    assert again == first
    assert sorted(live.calls) == [1, 2, 3]


async def test_an_error_is_not_kept(catalogue: CachedCatalogue, live: Live, kept: Kept) -> None:
    live.errors = [NeighbourAway("product")]

    with pytest.raises(NeighbourAway):
        await catalogue.cards([SKU])

    assert kept.cards == {}
    assert [card.price for card in await catalogue.cards([SKU])] == [10]


async def test_a_copy_stands_in_for_a_shard_that_is_away_and_for_no_other(
    catalogue: CachedCatalogue, live: Live, kept: Kept
) -> None:
    await catalogue.cards([SKU])
    live.price = 11

    kept.away = True
    from_the_copy = await catalogue.cards([SKU])
    kept.away = False
    kept.cards.clear()
    live_again = await catalogue.cards([SKU])

    assert [card.price for card in (*from_the_copy, *live_again)] == [10, 11]
    assert len(live.calls) == 2


async def test_a_copy_that_is_too_old_is_no_copy(live: Live, kept: Kept) -> None:
    catalogue = CachedCatalogue(live=live, kept=kept, copy_seconds_max=0.0)
    kept.away = True
    await catalogue.cards([SKU])

    await catalogue.cards([SKU])

    assert len(live.calls) == 2


async def test_who_has_time_left_calls_anew_when_the_first_callers_time_is_over(
    catalogue: CachedCatalogue, live: Live
) -> None:
    live.may_answer.clear()
    live.errors = [DeadlinePassed("product")]

    async def asked(seconds: float) -> Sequence[ProductCard]:
        with deadline(seconds):
            return await catalogue.cards([SKU])

    hasty = asyncio.create_task(asked(0.0))
    await asyncio.sleep(0)
    patient = asyncio.create_task(asked(60.0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    live.may_answer.set()
    await asyncio.wait([hasty, patient])

    assert isinstance(hasty.exception(), DeadlinePassed)
    assert [card.price for card in patient.result()] == [10]
    assert len(live.calls) == 2
