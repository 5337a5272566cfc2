"""Both faces of the catalogue, each on a free port."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
import pytest

from chassis.postgres import Pool
from rpc.product.v1.product_pb2_grpc import ProductServiceStub
from services.product import bootstrap
from services.product.repository.products import Products
from services.product.service.catalogue import CatalogueService
from services.product.service.gate import LoadGate
from tests.product_fixtures import ProductDatabase, product_database

__all__ = ["product_database"]

API_KEY = "testToken"


@dataclass(frozen=True, slots=True)
class Faces:
    http: httpx.AsyncClient
    grpc: Any


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
