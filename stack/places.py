"""What there is to open in a running stack: every address with what it is for."""

from collections.abc import Iterator
from dataclasses import dataclass

from stack.access import Access, masked
from stack.state import Kind, State

DATABASES = ("loms", "notification", "product", "cart")
"""The databases people look into, and whose role is shown for each."""


@dataclass(frozen=True, slots=True)
class Place:
    """One address. `secret` carries passwords, `address` never does."""

    name: str
    address: str
    about: str
    secret: str = ""


def places(state: State, access: Access) -> list[Place]:
    """Everything that can be opened, what people use first."""
    return [*_doors(access), *_stores(access), *_health(state)]


def _doors(access: Access) -> Iterator[Place]:
    if "loms-grpc" in access.ports:
        yield Place("loms-http", access.loms_http, "orders, JSON over HTTP")
        yield Place("loms-docs", f"{access.loms_http}/docs", "every call of it, to read and to send")
        yield Place("loms-grpc", access.address("loms-grpc"), "orders, gRPC with reflection")
    if "cart-http" in access.ports:
        yield Place("cart-http", access.url("cart-http"), "carts and checkout, JSON over HTTP")
        yield Place("cart-docs", f"{access.url('cart-http')}/docs", "every call of it, to read and to send")
    if "product-http" in access.ports:
        yield Place("product-http", access.url("product-http"), "the catalogue, JSON over HTTP (X-API-KEY)")
        yield Place("product-docs", f"{access.url('product-http')}/docs", "every call of it, to read and to send")
        yield Place("product-grpc", access.address("product-grpc"), "the catalogue, gRPC with reflection")
    if "projection-http" in access.ports:
        yield Place("projection-http", access.url("projection-http"), "the live view: /statuses /figures /orders/{id}")
    if access.has_stand_in:
        yield Place("telegram", access.url("telegram"), "the stand-in's phone: the messages people get")
    else:
        yield Place("telegram", access.telegram, "the real Bot API")


def _stores(access: Access) -> Iterator[Place]:
    yield Place("kafka", access.kafka, "bootstrap servers")
    if "loms-grpc" in access.ports:
        for database in DATABASES:
            yield _dsn(f"database-{database}", access.dsn(database, database), f"the role of {database}")
            yield _dsn(f"verifier-{database}", access.dsn("verifier", database), "may read all, write nothing")
    if "pgbouncer" in access.ports:
        yield _dsn("pooler-loms", access.pooled_dsn("loms", "loms"), "the role of loms, through pgbouncer")
    yield _dsn("valkey", access.valkey, "cache and limits")


def _dsn(name: str, address: str, about: str) -> Place:
    return Place(name, masked(address), about, secret=address)


def _health(state: State) -> Iterator[Place]:
    for name, process in state.processes.items():
        if process.kind is Kind.SERVICE and process.health:
            yield Place(f"{name}-health", f"http://{process.health}", "/livez /readyz /metrics")
