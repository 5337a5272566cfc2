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
    from services.cart.service.ports import Carts, Catalogue, Checkouts, Orders, Stock
    from services.cart.settings import ApiSettings, SchemaSettings

DOMAIN = "cart"


def api(settings: ApiSettings) -> Service:
    """Build the process that serves carts over HTTP."""
    from chassis.postgres import Pool
    from chassis.rpc_client import RpcClient
    from rpc.loms.v1.loms_pb2_grpc import LomsServiceStub
    from rpc.product.v1.product_pb2_grpc import ProductServiceStub
    from services.cart.clients.loms import Loms
    from services.cart.clients.product import Product
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
    product_client = RpcClient(settings.product_address, stub=ProductServiceStub)
    loms = Loms(client=loms_client, call_seconds_max=settings.call_seconds_max)
    server = http_face(
        settings.http_address,
        carts=Carts(pool=pool),
        checkouts=Checkouts(pool=pool),
        catalogue=Product(client=product_client, call_seconds_max=settings.call_seconds_max),
        stock=loms,
        orders=loms,
        request_seconds_max=settings.request_seconds_max,
    )
    health = Health(settings.health_address, {"postgres": pool.check})
    return Service("cart-api", tracing, health, pool, loms_client, product_client, server)


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
