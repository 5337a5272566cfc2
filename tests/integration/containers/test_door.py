"""The one door of the containers, with the real Envoy and neighbours on loopback instead of names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from stack.envoy_config import DESCRIPTOR
from stack.ports import LOOPBACK, free_ports
from stack.servers import Envoy
from tests.containers.compose import ROOT

CONFIGURATION = ROOT / "deploy" / "envoy" / "containers.yaml"


@dataclass(frozen=True, slots=True)
class Door:
    """Where the running door answers for each service."""

    cart: str
    product: str
    loms: str
    projection: str


@pytest.fixture
def door(server_folder: Path, cart: int) -> Iterator[Door]:
    """The cart is there; the catalogue and LOMS are not."""
    admin, *listeners = free_ports(5)
    places = dict(zip(("8080", "8082", "8084", "8087"), listeners, strict=True))
    nobody = dict(zip(("product-api", "loms-api", "projection"), free_ports(3), strict=True))
    text = CONFIGURATION.read_text(encoding="utf-8").replace("/etc/envoy/", f"{DESCRIPTOR.parent}/")
    text = text.replace("port_value: 9901", f"port_value: {admin}")
    for inside, port in places.items():
        text = text.replace(f"0.0.0.0, port_value: {inside}", f"{LOOPBACK}, port_value: {port}")
    for name, port in {"cart-api": cart, **nobody}.items():
        text = re.sub(rf"address: {name}, port_value: \d+", f"address: {LOOPBACK}, port_value: {port}", text)
    with Envoy(server_folder / "envoy", places["8080"], text, dies_with_parent=True):
        yield Door(*(f"http://{LOOPBACK}:{port}" for port in places.values()))


@pytest.fixture
def cart() -> Iterator[int]:
    """The port of a cart that answers every path with it."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer((LOOPBACK, 0), Echo)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_request_of_the_cart_reaches_the_cart_as_it_is(door: Door) -> None:
    assert httpx.get(f"{door.cart}/user/7/cart?full=1").text == "/user/7/cart?full=1"


def test_a_neighbour_that_is_away_is_a_problem_that_names_nothing_of_the_inside(door: Door) -> None:
    answer = httpx.get(f"{door.product}/product/1625903")

    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.json() == {"type": "about:blank", "title": "the service is not available", "status": 503}


def test_loms_that_is_away_is_refused_in_its_own_words(door: Door) -> None:
    answer = httpx.get(f"{door.loms}/stock/info", params={"sku": 1625903})

    assert answer.status_code == 503
    assert answer.json() == {"code": 14, "message": "the service is not available", "details": []}
