"""Build each process of the catalogue from its parts: the only file that constructs.

`api`, `migrate` and `seed` are the real doors; `faces` is the door for tests, which bring their own products and gate.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chassis import logs, telemetry
from chassis.health import Health
from chassis.lifecycle import Service

if TYPE_CHECKING:
    from chassis.asgi import AsgiServer
    from chassis.rpc_server import RpcServer
    from services.product.service.catalogue import CatalogueService
    from services.product.settings import ApiSettings, SchemaSettings

DOMAIN = "product"


def api(settings: ApiSettings) -> Service:
    """Build the process that serves the catalogue over HTTP and gRPC."""
    from chassis.postgres import Pool
    from services.product.repository.products import Products
    from services.product.service.catalogue import CatalogueService
    from services.product.service.gate import LoadGate

    logs.configure(DOMAIN, "api", settings.log_level)
    tracing = telemetry.configure(DOMAIN, "api", settings.otlp_endpoint)
    pool = Pool(
        settings.database_url.get_secret_value(),
        application_name=f"product-api {settings.instance}",
        max_size=settings.pool_size,
    )
    gate = LoadGate(latency_seconds=settings.latency_seconds, calls_per_second_max=settings.calls_per_second_max)
    catalogue = CatalogueService(products=Products(pool=pool), gate=gate)
    http, grpc = faces(
        catalogue,
        http_address=settings.http_address,
        grpc_address=settings.grpc_address,
        api_key=settings.api_key.get_secret_value(),
    )
    health = Health(settings.health_address, {"postgres": pool.check, "grpc": grpc.check})
    return Service("product-api", tracing, health, pool, grpc, http)


def faces(
    catalogue: CatalogueService, *, http_address: str, grpc_address: str, api_key: str
) -> tuple[AsgiServer, RpcServer]:
    """Build both faces over one catalogue."""
    from chassis.asgi import AsgiServer
    from chassis.rpc_server import RpcServer
    from rpc.product.v1.product_pb2_grpc import add_ProductServiceServicer_to_server
    from services.product.api.errors import REFUSALS
    from services.product.api.http import application
    from services.product.api.servicer import SERVICE, ProductServicer

    register = partial(add_ProductServiceServicer_to_server, ProductServicer(catalogue=catalogue))
    return (
        AsgiServer(http_address, application(catalogue=catalogue, api_key=api_key)),
        RpcServer(grpc_address, domain=DOMAIN, services={SERVICE: register}, refusals=REFUSALS),
    )


def migrate(settings: SchemaSettings) -> None:
    """Bring the schema to its newest version."""
    from services.product.migrations.run import upgrade

    upgrade(owner_url=settings.owner_url.get_secret_value(), app_role=settings.app_role)


async def seed(settings: SchemaSettings) -> None:
    """Load the first products, where they are missing."""
    from services.product.repository.seed import seed as seed_products

    await seed_products(settings.owner_url.get_secret_value())
