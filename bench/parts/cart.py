"""A list of a cart of eleven skus whose cards are kept: what it costs, how long it takes, how far it goes.

Against the same service without cache and limiter, and against the same application on granian.
"""

import asyncio
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any
from urllib.error import URLError

import asyncpg
import psutil

from bench.contestants.roster import Roster
from bench.findings import Findings
from bench.program import Program
from bench.ratios import Ratio, quantile, ratio
from bench.settings import in_turn
from bench.stand import Stand
from services.cart.migrations.run import upgrade as upgrade_carts
from services.product.migrations.run import upgrade as upgrade_products
from services.product.repository.seed import seed
from stack.ports import free_port
from stack.servers import Valkey

_COMPARED_SERVERS = 200
_PROMISED_RATE = 1_000
WAYS = ("ours", "naive", "granian")
COMPARED_RATE = 50
"""Requests a second that all of them can answer on two cores."""
RATES = (COMPARED_RATE, _COMPARED_SERVERS, 400, _PROMISED_RATE)
"""The cached ways go on; where one answers fewer than asked for, its process ends."""
SKUS = (1002, 1003, 1004, 1005, 1076963, 1148162, 1625903, 2618151, 2956315, 2958025, 3596599)
USERS = 200
LANES = 64
_MIB = 2**20
_WARM_SECONDS_MAX = 20.0
_AT_ONCE_SECONDS = 0.1
_LOOK_SECONDS = 0.05


class NotWarm(Exception):
    """A cart did not come to answer at once."""


@dataclass(frozen=True, slots=True)
class _Shop:
    """What every way stands on."""

    stand: Stand
    cart_dsn: str
    product: str
    caches: list[str]
    limits: str


def cart(stand: Stand, _roster: Roster) -> Findings:
    """Every way in turn at the rate all can keep, then ours at higher ones, round after round."""
    found, settings = Findings("cart"), stand.settings
    with _shop(stand) as shop:
        for round_number in range(1, settings.repeat + 1):
            for way in in_turn(WAYS, round_number):
                _take_turns(found, shop, way, round_number)
    found.ratios = _compared(found)
    return found


def _take_turns(found: Findings, shop: _Shop, way: str, round_number: int) -> None:
    """One process, every rate it takes part in; each row kept and, if it is ours, held against the promise."""
    port = free_port()
    told = {"way": way, "port": port, "dsn": shop.cart_dsn, "product": shop.product}
    with Program("cart", shop.stand.folder, caches=shop.caches, limits=shop.limits, **told) as served:
        served.expect("ready")
        _warm(port)
        for rate in RATES if way != "naive" else (COMPARED_RATE,):
            row = {"contestant": way, "rate": rate, "round": round_number, **_measured(shop.stand, served, port, rate)}
            found.say(row)
            if way == "ours" and row["failed"]:
                found.wrong.append(f"cart: {row['failed']} lists at {rate}/s were not answered with 200")
        served.end()


def _measured(stand: Stand, served: Program, port: int, rate: int) -> dict[str, Any]:
    seconds, process = stand.settings.seconds, psutil.Process(served.pid)
    told = {"port": port, "rate": rate, "seconds": seconds, "lanes": LANES, "paths": _paths()}
    with Program("requests", stand.folder, **told) as load:
        load.expect("ready")
        before = process.cpu_times()
        load.tell("go")
        seen = load.expect("done", within=seconds + 60)
        after, memory = process.cpu_times(), process.memory_full_info()
        load.end()
    used = after.user + after.system - before.user - before.system
    times = seen["times_ms"]
    return {
        "answered_per_second": len(times) / seconds,
        "p50_ms": quantile(times, 0.5),
        "p95_ms": quantile(times, 0.95),
        "p99_ms": quantile(times, 0.99),
        "per_cpu_second": len(times) / used,
        "pss_mib": getattr(memory, "pss", memory.rss) / _MIB,
        "failed": seen["failed"],
    }


def _compared(found: Findings) -> list[Ratio]:
    def column(name: str, way: str, rate: int = COMPARED_RATE) -> list[float]:
        return found.column(name, contestant=way, rate=rate)

    reached = column("answered_per_second", "ours", _PROMISED_RATE)
    return [
        *ratio("cart-per-cpu-second", column("per_cpu_second", "ours"), column("per_cpu_second", "naive")),
        *ratio("cart-p95", column("p95_ms", "ours"), column("p95_ms", "naive")),
        *ratio("cart-memory", column("pss_mib", "ours"), column("pss_mib", "naive")),
        Ratio("cart-1000-answered", tuple(each / _PROMISED_RATE for each in reached)),
        Ratio("cart-1000-p95-ms", tuple(column("p95_ms", "ours", _PROMISED_RATE))),
        *ratio("cart-granian", *(column("per_cpu_second", way, _COMPARED_SERVERS) for way in ("granian", "ours"))),
        *ratio("cart-granian-p95", *(column("p95_ms", way, _COMPARED_SERVERS) for way in ("granian", "ours"))),
    ]


@contextmanager
def _shop(stand: Stand) -> Iterator[_Shop]:
    cart_dsn, product_dsn = (_database(stand, name) for name in ("bench_cart", "bench_product"))
    upgrade_carts(owner_url=cart_dsn, app_role="postgres")
    upgrade_products(owner_url=product_dsn, app_role="postgres")
    asyncio.run(seed(product_dsn))
    _fill(cart_dsn)
    servers = [
        Valkey(stand.folder / name, free_port(), "bench", name=name) for name in ("cache-0", "cache-1", "limits")
    ]
    try:
        for server in servers:
            server.start()
        with Program("catalogue", stand.folder, dsn=product_dsn) as catalogue:
            address = catalogue.expect("ready")["address"]
            yield _Shop(stand, cart_dsn, address, [each.url for each in servers[:2]], servers[2].url)
    finally:
        for server in servers:
            server.kill()


def _database(stand: Stand, name: str) -> str:
    stand.script(f"drop database if exists {name}", f"create database {name}")
    return stand.postgres.dsn(name, "postgres", stand.postgres.password)


def _fill(dsn: str) -> None:
    async def fill() -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute(
            "insert into cart_items (user_id, sku, count) select u, s, 1 + u % 3"
            f" from generate_series(1, {USERS}) u, unnest(array{list(SKUS)}::bigint[]) s"
        )
        await connection.execute("vacuum analyze cart_items")
        await connection.close()

    asyncio.run(fill())


def _paths() -> list[str]:
    return [f"/user/{user}/cart" for user in range(1, USERS + 1)]


def _warm(port: int) -> None:
    """Ask until an answer comes at once: it listens, the cards are kept, the code is loaded."""
    ends = time.monotonic() + _WARM_SECONDS_MAX
    for path in cycle(_paths()):
        began = time.monotonic()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=_WARM_SECONDS_MAX).read()
        except URLError:
            time.sleep(_LOOK_SECONDS)
            continue
        finally:
            if began > ends:
                raise NotWarm(f"port {port} after {_WARM_SECONDS_MAX:.0f} s")
        if time.monotonic() - began < _AT_ONCE_SECONDS:
            return
