"""One shop for all answers: a test takes a user of its own.

Tests that use it run in the session's event loop: `pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from stack.ports import free_port
from stack.servers import Valkey
from tests.cart_fixtures import CartDatabase, NotedGate, World, cart_template, world_over
from tests.loms_fixtures import LomsDatabase, loms_template
from tests.product_fixtures import ProductDatabase, product_database

__all__ = ["cart_template", "loms_template", "product_database"]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey that other tests do not empty."""
    folder = tmp_path_factory.mktemp("cache")
    with Valkey(folder / "valkey", free_port(), "s3cret", dies_with_parent=True) as server:
        yield server.url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop(
    cart_template: CartDatabase,
    loms_template: LomsDatabase,
    product_database: ProductDatabase,
    cache: str,
) -> AsyncIterator[World]:
    addresses = {"cache_urls": [cache, cache], "limits_url": cache, "product_calls_per_second_max": 10_000}
    async with world_over(cart_template, loms_template, product_database, NotedGate(), 1, **addresses) as world:
        yield world
