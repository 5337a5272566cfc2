"""How fast orders are placed: the service layer, against pgbench sending its statements; then through its faces."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.contestants.roster import Roster
from bench.findings import Findings
from bench.pgbench import Script, script, transactions_per_second
from bench.program import Program
from bench.ratios import ratio
from bench.settings import in_turn
from bench.stand import Stand
from bench.statements import statement
from services.loms.migrations.run import upgrade
from services.loms.repository.statements import statement as loms_statement
from stack.databases import create_database, owner_of
from stack.envoy_config import render
from stack.ports import LOOPBACK, free_port
from stack.servers import Envoy

_ROOT = Path(__file__).parents[2]
_DATABASE = "bench_loms"
_PASSWORD = "bench"  # noqa: S105 - of a database that lives as long as this run
_SKUS = 10_000
_WAYS = ("service", "pgbench", "grpc", "http")
_READY_SECONDS_MAX = 30.0
_LOOK_SECONDS = 0.1
_NOBODY = "00000000-0000-0000-0000-000000000000"
_VALUES = {
    "topic": "loms.order-events",
    "headers": '{"ce_userid": "42", "ce_itemcount": "2"}',
    "event": _NOBODY,
    "body": '{"order_id": 4242424, "status": "awaiting payment", "moment": "2026-11-21T08:00:00.123456Z"}',
    "new_type": "order.new",
    "reserved_status": "awaiting payment",
    "reserved_type": "order.awaiting_payment",
    "short_status": "failed",
    "short_type": "order.failed",
}
_SKU_ARRAY, _COUNT_ARRAY = "array[:first_sku, :second_sku]::bigint[]", "array[1, 1]::bigint[]"
_ARGUMENTS = (
    *(":order_id", ":drawn_at", ":user_id", _SKU_ARRAY, _COUNT_ARRAY, ":topic", ":headers"),
    *(":event", ":new_type", ":body", ":event", ":drawn_at"),
    *(":reserved_status", ":reserved_type", ":body", ":short_status", ":short_type", ":body"),
    *("null", "null", "null", "null"),
)


def orders(stand: Stand, _roster: Roster) -> Findings:
    """The service layer, pgbench and the two faces in turn, round after round."""
    found = Findings("orders")
    _make_database(stand)
    for round_number in range(1, stand.settings.repeat + 1):
        for way in in_turn(_WAYS, round_number):
            row = {"way": way, "round": round_number, **_placed(stand, way), "load1": os.getloadavg()[0]}
            found.say(row)
    found.wrong += _held_against_the_promise(stand)
    rates = {way: found.column("per_second", way=way) for way in _WAYS}
    found.ratios = [
        *ratio("orders", rates["service"], rates["pgbench"]),
        *ratio("orders-grpc", rates["grpc"], rates["pgbench"]),
        *ratio("orders-http", rates["http"], rates["pgbench"]),
    ]
    return found


def _placed(stand: Stand, way: str) -> Mapping[str, float]:
    """Orders per second, and microseconds of processor time the service spends on one."""
    match way:
        case "service":
            return _by_the_service(stand)
        case "pgbench":
            return _by_pgbench(stand)
        case _:
            return _by_callers(stand, way)


def _by_the_service(stand: Stand) -> Mapping[str, float]:
    with Program("orders", stand.folder, dsn=_app_dsn(stand), **_load(stand)) as program:
        done = _done(program, stand)
    return {"per_second": done["orders"] / done["seconds"], "cpu_us": done["cpu_seconds"] / done["orders"] * 1e6}


def _by_pgbench(stand: Stand) -> Mapping[str, float]:
    sql = script(
        "place_order",
        skus=str(_SKUS),
        draw_order=loms_statement("draw_order").strip(),
        place_order=_bound(loms_statement("place_order")),
    )
    settings = stand.settings
    rate = transactions_per_second(
        stand, Script(sql, _VALUES), clients=settings.writers, seconds=settings.seconds, database=_DATABASE
    )
    return {"per_second": rate, "cpu_us": 0.0}


def _by_callers(stand: Stand, face: str) -> Mapping[str, float]:
    with _api(stand) as (grpc_address, http_address, process):
        address = grpc_address if face == "grpc" else http_address
        with Program("order_calls", stand.folder, face=face, address=address, **_load(stand)) as callers:
            before = _processor_seconds(process)
            done = _done(callers, stand)
            spent = _processor_seconds(process) - before
    return {"per_second": done["orders"] / done["seconds"], "cpu_us": spent / done["orders"] * 1e6}


def _load(stand: Stand) -> Mapping[str, Any]:
    return {"clients": stand.settings.writers, "skus": _SKUS, "seconds": stand.settings.seconds}


def _done(program: Program, stand: Stand) -> Mapping[str, Any]:
    program.expect("ready")
    program.tell("go")
    done = program.expect("done", within=stand.settings.seconds + 60)
    program.end()
    return done


@contextmanager
def _api(stand: Stand) -> Iterator[tuple[str, str, psutil.Process]]:
    """The process that serves orders, and Envoy before it."""
    grpc_address, health, port = f"{LOOPBACK}:{free_port()}", f"{LOOPBACK}:{free_port()}", free_port()
    settings = {
        "LOMS_DATABASE_URL": _app_dsn(stand),
        "LOMS_DIRECT_URL": _app_dsn(stand),
        "LOMS_GRPC_ADDRESS": grpc_address,
        "LOMS_HEALTH_ADDRESS": health,
    }
    with ExitStack() as open_things:
        log = open_things.enter_context((stand.folder / "loms-api.log").open("ab"))
        api = subprocess.Popen(
            [sys.executable, "-m", "services.loms", "api"],
            cwd=_ROOT,
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        open_things.callback(api.wait)
        open_things.callback(api.terminate)
        config = render(listen=f"{LOOPBACK}:{port}", upstream=grpc_address)
        open_things.enter_context(Envoy(stand.folder / "envoy", port, config, dies_with_parent=True))
        _wait_until_ready(health)
        yield grpc_address, f"{LOOPBACK}:{port}", psutil.Process(api.pid)


def _wait_until_ready(health: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS_MAX
    while True:
        try:
            if httpx.get(f"http://{health}/readyz").is_success:
                return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_LOOK_SECONDS)


def _processor_seconds(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def _make_database(stand: Stand) -> None:
    asyncio.run(
        create_database(
            stand.postgres.admin_dsn,
            _DATABASE,
            owner_password=_PASSWORD,
            app_password=_PASSWORD,
            verifier_password=_PASSWORD,
        )
    )
    owner_dsn = stand.postgres.dsn(_DATABASE, owner_of(_DATABASE), _PASSWORD)
    upgrade(owner_url=owner_dsn, app_role=_DATABASE)
    stand.sql(statement("order_stock"), _SKUS, database=_DATABASE)


def _app_dsn(stand: Stand) -> str:
    return stand.postgres.dsn(_DATABASE, _DATABASE, _PASSWORD)


def _held_against_the_promise(stand: Stand) -> list[str]:
    """Every order has its two events, and stock is what the orders hold."""
    [row] = stand.sql(statement("order_sums"), database=_DATABASE)
    if row["events"] == 2 * row["orders"] and row["reserved"] == row["pieces"] == 2 * row["orders"]:
        return []
    return [f"orders: {dict(row)}"]


def _bound(sql: str) -> str:
    """The statement with pgbench's variables; it must not hold one in a comment."""
    text = "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
    return re.sub(r"\$(\d+)", lambda found: _ARGUMENTS[int(found.group(1)) - 1], text)
