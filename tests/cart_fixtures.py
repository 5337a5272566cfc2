"""Carts over real stores and real neighbours: each service in this process by its test door, joined by real addresses.

A test imports the fixtures through its conftest, and asks `world` for the usual, `open_world` for a world of its own.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import asyncpg
import httpx
import pytest

from chassis.postgres import Pool
from chassis.rpc_server import RpcServer
from services.cart import bootstrap
from services.cart.migrations.run import upgrade
from services.cart.settings import ApiSettings
from services.loms import bootstrap as loms
from services.product import bootstrap as product
from services.product.domain.errors import TooManyCalls
from services.product.repository.products import Products
from services.product.service.catalogue import CatalogueService
from services.product.service.gate import LoadGate
from stack.databases import create_database, dsn_of, owner_of
from tests.given import SharedPostgres, SharedValkey
from tests.loms_fixtures import CountedWakes, LomsDatabase, unit_of_work_over
from tests.product_fixtures import ProductDatabase

PASSWORD = "cart"

SKUS = (1002, 1003, 1004, 1005, 1076963, 1148162, 1625903, 2618151, 2956315, 2958025, 3596599)
"""Eleven skus that the catalogue knows and that are in stock."""
SOLD_OUT = 139819069
"""Known, and nothing of it can be had."""

Answer = httpx.Response


@dataclass(frozen=True, slots=True)
class CartDatabase:
    """A migrated database of carts."""

    name: str
    app_dsn: str
    owner_dsn: str
    admin_dsn: str


class NotedGate(LoadGate):
    """The gate of the catalogue, which notes when each call starts."""

    def __init__(self, **load: Any) -> None:
        super().__init__(**load)
        self.starts: list[float] = []
        self.refusals_left = 0

    async def enter(self) -> None:
        self.starts.append(time.monotonic())
        if self.refusals_left:
            self.refusals_left -= 1
            raise TooManyCalls(10)
        await super().enter()

    def most_in_a_second(self) -> int:
        """The most calls that started in any one second, wherever it begins."""
        return max(sum(first <= each < first + 1.0 for each in self.starts) for first in self.starts)


@dataclass(frozen=True, slots=True)
class Replica:
    """One process's worth of carts, and a client of it."""

    http: httpx.AsyncClient
    parts: bootstrap.Parts

    async def add(self, user_id: int, sku: int, count: int = 1) -> Answer:
        return await self.http.post(f"/user/{user_id}/cart/{sku}", json={"count": count})

    async def remove(self, user_id: int, sku: int) -> Answer:
        return await self.http.delete(f"/user/{user_id}/cart/{sku}")

    async def clear(self, user_id: int) -> Answer:
        return await self.http.delete(f"/user/{user_id}/cart")

    async def show(self, user_id: int) -> Answer:
        return await self.http.get(f"/user/{user_id}/cart")

    async def checkout(self, user_id: int, key: str | None = None) -> Answer:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.http.post(f"/checkout/{user_id}", headers=headers)


@dataclass(frozen=True, slots=True)
class World:
    """A running shop, and eyes that look past it into both databases."""

    replicas: Sequence[Replica]
    gate: NotedGate
    eye: "asyncpg.Connection[Any]"
    loms_eye: "asyncpg.Connection[Any]"
    rpc: RpcServer
    settings: ApiSettings
    users: "Iterator[int]" = field(default_factory=lambda: iter(range(1, 1_000_000)))

    @property
    def cart(self) -> Replica:
        return self.replicas[0]

    def somebody(self) -> int:
        """A user nobody was before in this world."""
        return next(self.users)

    async def cart_of(self, user_id: int) -> dict[int, int]:
        """What lies in a cart, read past the service."""
        rows = await self.eye.fetch("select sku, count from cart_items where user_id = $1 order by sku", user_id)
        return {row["sku"]: row["count"] for row in rows}

    async def put(self, user_id: int, items: dict[int, int]) -> None:
        """Put items into a cart past the service."""
        rows = [(user_id, sku, count) for sku, count in items.items()]
        await self.eye.executemany("insert into cart_items (user_id, sku, count) values ($1, $2, $3)", rows)

    async def orders_of(self, user_id: int) -> dict[int, dict[int, int]]:
        """The orders of a user that LOMS took, with their items."""
        rows = await self.loms_eye.fetch(
            "select order_id, sku, count from orders join order_items using (order_id)"
            " where user_id = $1 and status <> 'failed' order by order_id, sku",
            user_id,
        )
        orders: dict[int, dict[int, int]] = {}
        for row in rows:
            orders.setdefault(row["order_id"], {})[row["sku"]] = row["count"]
        return orders

    async def checkouts_of(self, user_id: int) -> list[str]:
        """The states of a user's checkouts, in the order they began."""
        rows = await self.eye.fetch("select state from checkouts where user_id = $1 order by began_at", user_id)
        return [row["state"] for row in rows]


class OpenWorld(Protocol):
    """Opens a world of the test's own; it ends with the test."""

    async def __call__(self, *, replicas: int = 1, gate: NotedGate | None = None, **settings: Any) -> World: ...


@pytest.fixture(scope="session")
def cart_template(postgres: SharedPostgres) -> Iterator[CartDatabase]:
    """The database that every test's is a copy of, made and migrated by the real commands' code."""
    name = f"cart_{secrets.token_hex(4)}"
    template = _database(postgres, name, name)
    asyncio.run(
        create_database(
            postgres.admin_dsn, name, owner_password=PASSWORD, app_password=PASSWORD, verifier_password=PASSWORD
        )
    )
    upgrade(owner_url=template.owner_dsn, app_role=name)
    yield template
    asyncio.run(_drop(postgres, name))


@pytest.fixture
async def cart_database(postgres: SharedPostgres, cart_template: CartDatabase) -> AsyncIterator[CartDatabase]:
    async with _copied(postgres, cart_template) as database:
        yield database


@pytest.fixture
async def open_world(
    cart_database: CartDatabase, loms_database: LomsDatabase, product_database: ProductDatabase, valkey: SharedValkey
) -> AsyncIterator[OpenWorld]:
    async with AsyncExitStack() as opened:

        async def open_one(*, replicas: int = 1, gate: NotedGate | None = None, **settings: Any) -> World:
            given = {"cache_urls": [valkey.url] * 2, "limits_url": valkey.url, **settings}
            return await opened.enter_async_context(
                world_over(cart_database, loms_database, product_database, gate or NotedGate(), replicas, **given)
            )

        yield open_one


@pytest.fixture
async def world(open_world: OpenWorld) -> World:
    """One replica; calls of the catalogue are not held back."""
    return await open_world(product_calls_per_second_max=1_000)


@asynccontextmanager
async def world_over(
    carts: CartDatabase,
    orders: LomsDatabase,
    products: ProductDatabase,
    gate: NotedGate,
    replicas: int,
    **settings: Any,
) -> AsyncIterator[World]:
    """Start LOMS, the catalogue and so many carts; `settings` are the carts'."""
    async with AsyncExitStack() as opened:
        rpc = await opened.enter_async_context(_loms(orders))
        catalogue = await opened.enter_async_context(_catalogue(products, gate))
        given = {
            "database_url": carts.app_dsn,
            "http_address": "127.0.0.1:0",
            "loms_address": rpc.address,
            "product_address": catalogue,
            "replicas": replicas,
            **settings,
        }
        made = ApiSettings(**given)
        running = [await opened.enter_async_context(replica_of(made)) for _ in range(replicas)]
        eye = await opened.enter_async_context(connected(carts.admin_dsn))
        loms_eye = await opened.enter_async_context(connected(orders.admin_dsn))
        yield World(running, gate, eye, loms_eye, rpc, made)


@asynccontextmanager
async def replica_of(settings: ApiSettings) -> AsyncIterator[Replica]:
    """Run the parts of one process, as the process does."""
    parts = bootstrap.parts(settings)
    for part in parts.in_order():
        await part.start()
    limits = httpx.Limits(max_connections=100)
    try:
        async with httpx.AsyncClient(
            base_url=f"http://{parts.server.address}", timeout=30, limits=limits, trust_env=False
        ) as client:
            yield Replica(client, parts)
    finally:
        for part in reversed(parts.in_order()):
            await part.stop()


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


def problem(answer: Answer, status: int) -> dict[str, Any]:
    """The facts of a refusal, which must have this status and the one form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert (body["status"], body["instance"]) == (status, answer.request.url.path)
    assert {"type", "title", "detail", "code", "trace_id"} <= set(body)
    return body


@asynccontextmanager
async def _loms(database: LomsDatabase) -> AsyncIterator[RpcServer]:
    pool = Pool(database.app_dsn, application_name="loms-test", max_size=8, acquire_seconds_max=30)
    server = loms.rpc_server("127.0.0.1:0", loms.servicer(unit_of_work_over(pool, CountedWakes()), pool))
    await pool.start()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        await pool.stop()


@asynccontextmanager
async def _catalogue(database: ProductDatabase, gate: NotedGate) -> AsyncIterator[str]:
    pool = Pool(database.app_dsn, application_name="product-test", max_size=8)
    service = CatalogueService(products=Products(pool=pool), gate=gate)
    _, server = product.faces(service, http_address="127.0.0.1:0", grpc_address="127.0.0.1:0", api_key="unused")
    await pool.start()
    await server.start()
    try:
        yield server.address
    finally:
        await server.stop()
        await pool.stop()


@asynccontextmanager
async def _copied(postgres: SharedPostgres, template: CartDatabase) -> AsyncIterator[CartDatabase]:
    name = f"{template.name}_{secrets.token_hex(4)}"
    async with connected(postgres.admin_dsn) as admin:
        await admin.execute(f'create database "{name}" template "{template.name}" owner "{owner_of(template.name)}"')
        try:
            yield _database(postgres, name, template.name)
        finally:
            await admin.execute(f'drop database "{name}" with (force)')


async def _drop(postgres: SharedPostgres, name: str) -> None:
    async with connected(postgres.admin_dsn) as admin:
        await admin.execute(f'drop database "{name}" with (force)')
        await admin.execute(f'drop role "{name}"')
        await admin.execute(f'drop role "{owner_of(name)}"')


def _database(postgres: SharedPostgres, name: str, role: str) -> CartDatabase:
    return CartDatabase(
        name=name,
        app_dsn=postgres.dsn(name, role, PASSWORD),
        owner_dsn=postgres.dsn(name, owner_of(role), PASSWORD),
        admin_dsn=dsn_of(postgres.admin_dsn, name),
    )
