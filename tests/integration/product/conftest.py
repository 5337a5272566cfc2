"""The catalogue over a real database, and both its faces, each on a free port."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import grpc
import httpx
import pytest

from chassis.postgres import Pool
from rpc.product.v1.product_pb2_grpc import ProductServiceStub
from services.product import bootstrap
from services.product.migrations.run import upgrade
from services.product.repository.products import Products
from services.product.repository.seed import seed
from services.product.service.catalogue import CatalogueService
from services.product.service.gate import LoadGate
from stack.databases import create_database, dsn_of, owner_of
from tests.given import SharedPostgres

PASSWORD = "product"
API_KEY = "testToken"


@dataclass(frozen=True, slots=True)
class ProductDatabase:
    app_dsn: str
    owner_dsn: str
    admin_dsn: str


@dataclass(frozen=True, slots=True)
class Faces:
    http: httpx.AsyncClient
    grpc: Any


@pytest.fixture(scope="session")
def product_database(postgres: SharedPostgres) -> Iterator[ProductDatabase]:
    """Made, migrated and seeded by the real commands' code; tests only read it."""
    name = f"product_{secrets.token_hex(4)}"
    asyncio.run(
        create_database(
            postgres.admin_dsn, name, owner_password=PASSWORD, app_password=PASSWORD, verifier_password=PASSWORD
        )
    )
    made = ProductDatabase(
        app_dsn=postgres.dsn(name, name, PASSWORD),
        owner_dsn=postgres.dsn(name, owner_of(name), PASSWORD),
        admin_dsn=dsn_of(postgres.admin_dsn, name),
    )
    upgrade(owner_url=made.owner_dsn, app_role=name)
    asyncio.run(seed(made.owner_dsn))
    yield made
    asyncio.run(_drop(postgres, name))


@pytest.fixture
async def pool(product_database: ProductDatabase) -> AsyncIterator[Pool]:
    pool = Pool(product_database.app_dsn, application_name="product-test", max_size=4)
    await pool.start()
    yield pool
    await pool.stop()


@pytest.fixture
def gate() -> LoadGate:
    return LoadGate()


@pytest.fixture
async def faces(pool: Pool, gate: LoadGate) -> AsyncIterator[Faces]:
    catalogue = CatalogueService(products=Products(pool=pool), gate=gate)
    http, rpc = bootstrap.faces(catalogue, http_address="127.0.0.1:0", grpc_address="127.0.0.1:0", api_key=API_KEY)
    await http.start()
    await rpc.start()
    async with (
        grpc.aio.insecure_channel(rpc.address) as channel,
        httpx.AsyncClient(base_url=f"http://{http.address}", headers={"X-API-KEY": API_KEY}) as client,
    ):
        yield Faces(client, ProductServiceStub(channel))
    await rpc.stop()
    await http.stop()


async def _drop(postgres: SharedPostgres, name: str) -> None:
    admin = await asyncpg.connect(postgres.admin_dsn)
    try:
        await admin.execute(f'drop database "{name}" with (force)')
        await admin.execute(f'drop role "{name}"')
        await admin.execute(f'drop role "{owner_of(name)}"')
    finally:
        await admin.close()
