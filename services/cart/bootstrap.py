"""Build each process of the cart from its parts: the only file that constructs.

`api` and `migrate` are the real doors; `parts` is the door for tests, which bring addresses of their own (a fault
proxy's, say) and no logs, traces and health.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from chassis import logs, telemetry
from chassis.health import Health
from chassis.lifecycle import Service, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chassis.asgi import AsgiServer
    from chassis.lifecycle import Component
    from chassis.limits import FallbackLimiter, Limiter
    from chassis.postgres import Pool
    from chassis.rpc_client import RpcClient
    from rpc.loms.v1.loms_pb2_grpc import LomsServiceAsyncStub
    from rpc.product.v1.product_pb2_grpc import ProductServiceAsyncStub
    from services.cart.clients.pace import Paced
    from services.cart.clients.shards import Shards
    from services.cart.service.ports import Carts, Catalogue, Checkouts, OldCheckouts, Orders, Stock
    from services.cart.settings import ApiSettings, SchemaSettings

DOMAIN = "cart"

_PACE_MARGIN = 0.15
"""115 ms between ten calls a second: one may come 150 ms late, as on a busy machine, and still not be an eleventh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What serves carts, built and not started."""

    pool: Pool
    limits: FallbackLimiter
    shards: Shards
    loms: RpcClient[LomsServiceAsyncStub]
    product: RpcClient[ProductServiceAsyncStub]
    upkeep: Task
    server: AsgiServer

    def in_order(self) -> Sequence[Component]:
        """The parts in the order they start."""
        return self.pool, self.limits, self.shards, self.loms, self.product, self.upkeep, self.server


def api(settings: ApiSettings) -> Service:
    """Build the process that serves carts over HTTP."""
    logs.configure(DOMAIN, "api", settings.log_level)
    tracing = telemetry.configure(DOMAIN, "api", settings.otlp_endpoint)
    built = parts(settings)
    health = Health(settings.health_address, {"postgres": built.pool.check})
    return Service("cart-api", tracing, health, *built.in_order())


def parts(settings: ApiSettings) -> Parts:
    """Build everything that serves, over the addresses of the settings."""
    from chassis.limits import FallbackLimiter, LocalLimiter, ValkeyLimiter
    from chassis.postgres import Pool
    from chassis.rpc_client import RpcClient
    from rpc.loms.v1.loms_pb2_grpc import LomsServiceStub
    from rpc.product.v1.product_pb2_grpc import ProductServiceStub
    from services.cart.clients.loms import Loms
    from services.cart.clients.shards import Shards
    from services.cart.repository.carts import Carts
    from services.cart.repository.checkouts import Checkouts

    pool = Pool(
        settings.database_url.get_secret_value(),
        application_name=f"cart-api {settings.instance}",
        max_size=settings.pool_size,
    )
    limits = FallbackLimiter(
        shared=ValkeyLimiter(settings.limits_url.get_secret_value(), prefix="limits:"),
        local=LocalLimiter(parts=settings.replicas),
    )
    shards = Shards([url.get_secret_value() for url in settings.cache_urls], ttl_seconds=settings.cache_ttl_seconds)
    loms = RpcClient(settings.loms_address, stub=LomsServiceStub)
    product = RpcClient(settings.product_address, stub=ProductServiceStub, interceptors=[_paced(settings, limits)])
    orders = Loms(client=loms, call_seconds_max=settings.call_seconds_max)
    checkouts = Checkouts(pool=pool)
    return Parts(
        pool=pool,
        limits=limits,
        shards=shards,
        loms=loms,
        product=product,
        upkeep=_upkeep(settings, checkouts),
        server=_http_face(
            settings,
            carts=Carts(pool=pool),
            checkouts=checkouts,
            catalogue=_catalogue(settings, product, shards),
            stock=orders,
            orders=orders,
        ),
    )


def migrate(settings: SchemaSettings) -> None:
    """Bring the schema to its newest version."""
    from services.cart.migrations.run import upgrade

    upgrade(owner_url=settings.owner_url.get_secret_value(), app_role=settings.app_role)


def _paced(settings: ApiSettings, limiter: Limiter) -> Paced:
    from chassis.limits import Rate
    from services.cart.clients.pace import Paced

    return Paced(
        limiter=limiter,
        key="product-calls",
        rate=Rate(calls=settings.product_calls_per_second_max, seconds=1.0, margin=_PACE_MARGIN, unknown_seconds=1.0),
        neighbour="product",
        wait_seconds_max=settings.request_seconds_max,
        call_seconds_max=settings.call_seconds_max,
    )


def _catalogue(settings: ApiSettings, client: RpcClient[ProductServiceAsyncStub], shards: Shards) -> Catalogue:
    from services.cart.clients.cards import CachedCatalogue
    from services.cart.clients.product import Product

    live = Product(client=client, call_seconds_max=settings.request_seconds_max)
    return CachedCatalogue(live=live, kept=shards, copy_seconds_max=settings.cache_ttl_seconds)


def _upkeep(settings: ApiSettings, checkouts: OldCheckouts) -> Task:
    from services.cart.service.upkeep import Upkeep

    return Task("upkeep", Upkeep(checkouts=checkouts, kept=timedelta(days=settings.checkouts_kept_days)).run)


def _http_face(
    settings: ApiSettings, *, carts: Carts, checkouts: Checkouts, catalogue: Catalogue, stock: Stock, orders: Orders
) -> AsgiServer:
    from chassis.asgi import AsgiServer
    from services.cart.api.http import application
    from services.cart.service.carts import CartService
    from services.cart.service.checkout import CheckoutService

    app = application(
        carts=CartService(carts=carts, catalogue=catalogue, stock=stock),
        checkouts=CheckoutService(checkouts=checkouts, orders=orders),
        request_seconds_max=settings.request_seconds_max,
    )
    return AsgiServer(settings.http_address, app)
