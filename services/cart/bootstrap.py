"""Build each process of the cart from its parts: the only file that constructs.

`api` and `migrate` are the real doors; `http_face` is the door for tests, which bring their own carts and neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis import logs, telemetry
from chassis.health import Health
from chassis.lifecycle import Service

if TYPE_CHECKING:
    from chassis.asgi import AsgiServer
    from chassis.limits import Limiter
    from services.cart.clients.pace import Paced
    from services.cart.service.ports import Carts, Catalogue, Checkouts, Orders, Stock
    from services.cart.settings import ApiSettings, SchemaSettings

DOMAIN = "cart"


def api(settings: ApiSettings) -> Service:
    """Build the process that serves carts over HTTP."""
    from chassis.limits import FallbackLimiter, LocalLimiter, ValkeyLimiter
    from chassis.postgres import Pool
    from chassis.rpc_client import RpcClient
    from rpc.loms.v1.loms_pb2_grpc import LomsServiceStub
    from rpc.product.v1.product_pb2_grpc import ProductServiceStub
    from services.cart.clients.cards import CachedCatalogue
    from services.cart.clients.loms import Loms
    from services.cart.clients.product import Product
    from services.cart.clients.shards import Shards
    from services.cart.repository.carts import Carts
    from services.cart.repository.checkouts import Checkouts

    logs.configure(DOMAIN, "api", settings.log_level)
    tracing = telemetry.configure(DOMAIN, "api", settings.otlp_endpoint)
    pool = Pool(
        settings.database_url.get_secret_value(),
        application_name=f"cart-api {settings.instance}",
        max_size=settings.pool_size,
    )
    loms_client = RpcClient(settings.loms_address, stub=LomsServiceStub)
    limits = FallbackLimiter(
        shared=ValkeyLimiter(settings.limits_url.get_secret_value(), prefix="limits:"),
        local=LocalLimiter(parts=settings.replicas),
    )
    product_client = RpcClient(
        settings.product_address, stub=ProductServiceStub, interceptors=[_paced(settings, limits)]
    )
    shards = Shards([url.get_secret_value() for url in settings.cache_urls], ttl_seconds=settings.cache_ttl_seconds)
    catalogue = CachedCatalogue(
        live=Product(client=product_client, call_seconds_max=settings.request_seconds_max),
        kept=shards,
        copy_seconds_max=settings.cache_ttl_seconds,
    )
    loms = Loms(client=loms_client, call_seconds_max=settings.call_seconds_max)
    server = http_face(
        settings.http_address,
        carts=Carts(pool=pool),
        checkouts=Checkouts(pool=pool),
        catalogue=catalogue,
        stock=loms,
        orders=loms,
        request_seconds_max=settings.request_seconds_max,
    )
    health = Health(settings.health_address, {"postgres": pool.check})
    return Service("cart-api", tracing, health, pool, limits, shards, loms_client, product_client, server)


def _paced(settings: ApiSettings, limiter: Limiter) -> Paced:
    from chassis.limits import Rate
    from services.cart.clients.pace import Paced

    return Paced(
        limiter=limiter,
        key="product-calls",
        rate=Rate(calls=settings.product_calls_per_second_max, seconds=1.0, unknown_seconds=1.0),
        neighbour="product",
        wait_seconds_max=settings.request_seconds_max,
    )


def http_face(
    address: str,
    *,
    carts: Carts,
    checkouts: Checkouts,
    catalogue: Catalogue,
    stock: Stock,
    orders: Orders,
    request_seconds_max: float = 10.0,
) -> AsgiServer:
    """Build the HTTP server over what is given."""
    from chassis.asgi import AsgiServer
    from services.cart.api.http import application
    from services.cart.service.carts import CartService
    from services.cart.service.checkout import CheckoutService

    app = application(
        carts=CartService(carts=carts, catalogue=catalogue, stock=stock),
        checkouts=CheckoutService(checkouts=checkouts, orders=orders),
        request_seconds_max=request_seconds_max,
    )
    return AsgiServer(address, app)


def migrate(settings: SchemaSettings) -> None:
    """Bring the schema to its newest version."""
    from services.cart.migrations.run import upgrade

    upgrade(owner_url=settings.owner_url.get_secret_value(), app_role=settings.app_role)
