"""A cart to be measured. Config: way, port, dsn, caches, limits, product.

Ways: `ours` is the service, from its own bootstrap's parts, on uvicorn; `granian` is the same application on granian;
`naive` is the same service without cache and limiter: every list calls the catalogue for every sku, side by side.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server

from bench.programs.parent import Config, Parent, run
from chassis.asgi import AsgiServer
from chassis.limits import LocalLimiter, Rate, ValkeyLimiter
from chassis.limits.fallback import FallbackLimiter
from chassis.memory import spare_the_long_lived
from chassis.postgres import Pool
from chassis.rpc_client import RpcClient
from rpc.loms.v1.loms_pb2_grpc import LomsServiceStub
from rpc.product.v1.product_pb2_grpc import ProductServiceStub
from services.cart.api.http import application
from services.cart.clients.cards import CachedCatalogue
from services.cart.clients.loms import Loms
from services.cart.clients.pace import Paced
from services.cart.clients.product import Product
from services.cart.clients.shards import Shards
from services.cart.domain.cart import ProductCard, Sku
from services.cart.repository.carts import Carts
from services.cart.repository.checkouts import Checkouts
from services.cart.service.carts import CartService
from services.cart.service.checkout import CheckoutService
from services.cart.service.together import together

SECONDS_MAX = 10.0


class Live:
    """The catalogue without anything before it."""

    def __init__(self, product: Product) -> None:
        self._product = product

    async def cards(self, skus: Sequence[Sku]) -> Sequence[ProductCard]:
        """One call a sku."""
        return await together(self._product.card(sku) for sku in skus)


async def main(config: Config, parent: Parent) -> None:
    """Serve until the parent has no more to say."""
    async with AsyncExitStack() as running:
        app = await _application(config, running)
        spare_the_long_lived()
        serve = _on_granian if config["way"] == "granian" else _on_uvicorn
        await serve(app, config["port"], lambda: _until_told(parent))


async def _until_told(parent: Parent) -> None:
    parent.say("ready")
    await parent.word()


async def _application(config: Config, running: AsyncExitStack) -> Any:
    pool = Pool(config["dsn"], application_name="bench-cart", max_size=16)
    loms = RpcClient("127.0.0.1:1", stub=LomsServiceStub)
    orders = Loms(client=loms, call_seconds_max=2.0)
    catalogue = await _catalogue(config, running)
    for part in (pool, loms):
        await part.start()
        running.push_async_callback(part.stop)
    return application(
        carts=CartService(carts=Carts(pool=pool), catalogue=catalogue, stock=orders),
        checkouts=CheckoutService(checkouts=Checkouts(pool=pool), orders=orders),
        request_seconds_max=SECONDS_MAX,
    )


async def _catalogue(config: Config, running: AsyncExitStack) -> Live | CachedCatalogue:
    if config["way"] == "naive":
        client = RpcClient(config["product"], stub=ProductServiceStub)
        await client.start()
        running.push_async_callback(client.stop)
        return Live(Product(client=client, call_seconds_max=SECONDS_MAX))
    limits = FallbackLimiter(shared=ValkeyLimiter(config["limits"], prefix="limits:"), local=LocalLimiter())
    paced = Paced(
        limiter=limits,
        key="product-calls",
        rate=Rate(calls=10, seconds=1.0, unknown_seconds=1.0),
        neighbour="product",
        wait_seconds_max=SECONDS_MAX,
        call_seconds_max=2.0,
    )
    client = RpcClient(config["product"], stub=ProductServiceStub, interceptors=[paced])
    shards = Shards(config["caches"], ttl_seconds=10.0)
    for part in (limits, client, shards):
        await part.start()
        running.push_async_callback(part.stop)
    live = Product(client=client, call_seconds_max=SECONDS_MAX)
    return CachedCatalogue(live=live, kept=shards, copy_seconds_max=10.0)


async def _on_uvicorn(app: Any, port: int, until: Callable[[], Awaitable[None]]) -> None:
    server = AsgiServer(f"127.0.0.1:{port}", app)
    await server.start()
    await until()
    await server.stop()


async def _on_granian(app: Any, port: int, until: Callable[[], Awaitable[None]]) -> None:
    server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False)
    serving = asyncio.create_task(server.serve())
    await until()
    server.stop()  # type: ignore[no-untyped-call] # published without types
    await serving


if __name__ == "__main__":
    run(main)
