"""Product cards in Valkey: a hash ring decides which shard keeps a sku, so that one shard more moves few of them.

A shard that fails in any way (away, slow, another type under the key, bytes that are no card) is a miss, not an error;
after a failure to answer it is left alone for a moment.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

import orjson
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from uhashring import HashRing

from services.cart.domain.cart import ProductCard, Sku
from services.cart.metrics import CARD_SHARD_ERRORS, CARD_SHARD_SECONDS

_PREFIX = "card:"
_REST_SECONDS = 1.0
_PLACES_KEPT_MAX = 65_536
"""The ring stays as it is: a sku's place is looked up once. Twenty-two lookups took a tenth of a list of eleven."""

Result = TypeVar("Result")


class Shard:
    """One Valkey."""

    def __init__(self, name: str, url: str, *, answer_seconds_max: float, connections_max: int = 16) -> None:
        self.name = name
        self._rests_until = 0.0
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections_max,
            timeout=answer_seconds_max,
            socket_timeout=answer_seconds_max,
            socket_connect_timeout=answer_seconds_max,
            retry=Retry(NoBackoff(), 0),
        )
        self._client = Redis.from_pool(pool)

    @property
    def is_away(self) -> bool:
        """Whether it failed to answer a moment ago."""
        return time.monotonic() < self._rests_until

    async def read(self, skus: Sequence[Sku]) -> Mapping[Sku, ProductCard]:
        """Return the cards that are there."""
        started = time.perf_counter()
        values = await self._tried(lambda: self._client.mget([f"{_PREFIX}{sku}" for sku in skus]))
        CARD_SHARD_SECONDS.labels(self.name).observe(time.perf_counter() - started)
        pairs = ((sku, _decoded(sku, value)) for sku, value in zip(skus, values or (), strict=False))
        return {sku: card for sku, card in pairs if card is not None}

    async def write(self, card: ProductCard, *, ttl_seconds: float) -> None:
        """Keep a card for so long."""
        value = orjson.dumps({"name": card.name, "price": card.price})
        await self._tried(lambda: self._client.set(f"{_PREFIX}{card.sku}", value, px=round(ttl_seconds * 1_000)))

    async def stop(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _tried(self, command: Callable[[], Awaitable[Result]]) -> Result | None:
        if self.is_away:
            return None
        try:
            return await command()
        except (RedisError, OSError, TimeoutError) as error:
            CARD_SHARD_ERRORS.labels(self.name).inc()
            if not isinstance(error, ResponseError):  # an answer, if not the one we wanted
                self._rests_until = time.monotonic() + _REST_SECONDS
            return None


class Shards:
    """A component: the cards of all shards. A card lives `ttl_seconds` or up to a fifth less: few end together."""

    name = "card cache"

    def __init__(self, urls: Sequence[str], *, ttl_seconds: float, answer_seconds_max: float = 0.15) -> None:
        self._ttl_seconds = ttl_seconds
        names = [f"shard-{number}" for number in range(len(urls))]
        self._shards = {
            name: Shard(name, url, answer_seconds_max=answer_seconds_max) for name, url in zip(names, urls, strict=True)
        }
        ring = HashRing(nodes=names)
        self._shard_name = lru_cache(_PLACES_KEPT_MAX)(lambda sku: str(ring.get_node(str(sku))))

    async def start(self) -> None:
        """Do nothing: the first look connects, and a shard may be away."""

    async def stop(self) -> None:
        """Close every connection."""
        for shard in self._shards.values():
            await shard.stop()

    async def read(self, skus: Sequence[Sku]) -> Mapping[Sku, ProductCard]:
        """Return the cards that are there: one look a shard, side by side."""
        groups: defaultdict[str, list[Sku]] = defaultdict(list)
        for sku in skus:
            groups[self._shard_name(sku)].append(sku)
        found = await asyncio.gather(*(self._shards[name].read(group) for name, group in groups.items()))
        return {sku: card for cards in found for sku, card in cards.items()}

    async def write(self, card: ProductCard) -> None:
        """Keep a card."""
        spread = random.uniform(0.8, 1.0)  # noqa: S311 - jitter, not a secret
        await self._shards[self._shard_name(card.sku)].write(card, ttl_seconds=self._ttl_seconds * spread)

    def is_away(self, sku: Sku) -> bool:
        """Whether the shard of a sku failed to answer a moment ago."""
        return self._shards[self._shard_name(sku)].is_away


def _decoded(sku: Sku, value: bytes | str | None) -> ProductCard | None:
    if value is None:
        return None
    try:
        facts = orjson.loads(value)
        return ProductCard(sku, str(facts["name"]), int(facts["price"]))
    except (ValueError, TypeError, KeyError):
        return None
