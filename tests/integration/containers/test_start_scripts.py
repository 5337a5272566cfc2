"""What containers run to start servers, run here without one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import asyncpg
import pytest

from deploy.pgbouncer.run import configure
from deploy.postgres.databases import create
from stack.java import java
from stack.kafka_jars import fetch_jars, locked_jars, maven, maven_cache
from stack.ports import LOOPBACK, free_ports
from stack.servers.kafka_metadata import brokers_known_to
from tests.containers.compose import ROOT, example
from tests.given import SharedPostgres
from tests.waiting import eventually

KAFKA = ROOT / "deploy" / "kafka"
READY = ROOT / "deploy" / "containers" / "ready.py"
POOLER = {
    "POOLER_DATABASE": "loms",
    "POOLER_PASSWORD": 'with "quotes"',
    "POOLER_UPSTREAM": "postgres:5432",
    "POOLER_CONNECTIONS_MAX": "16",
    "POOLER_CLIENTS_MAX": "1000",
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A broker started by the containers' script; its environment."""
    libs = tmp_path / "libs"
    libs.mkdir()
    for jar in fetch_jars(locked_jars(), download=maven(), cache=maven_cache()):
        (libs / jar.name).symlink_to(jar)
    port, controller_port = free_ports(2)
    environment = {
        "PATH": f"{java().path.parent}:{os.environ['PATH']}",
        "KAFKA_LIBS": str(libs),
        "KAFKA_DATA": str(tmp_path / "data"),
        "KAFKA_PROPERTIES": str(tmp_path / "server.properties"),
        "KAFKA_NODE_ID": "1",
        "KAFKA_HOST": LOOPBACK,
        "KAFKA_LISTEN_HOST": LOOPBACK,
        "KAFKA_PORT": str(port),
        "KAFKA_CONTROLLER_PORT": str(controller_port),
        "KAFKA_VOTERS": f"1@{LOOPBACK}:{controller_port}",
        "KAFKA_CLUSTER_ID": example()["ONELANE_KAFKA_CLUSTER_ID"],
        "KAFKA_REPLICAS": "1",
        "KAFKA_IN_SYNC_MIN": "1",
        "KAFKA_HEAP": "256m",
    }
    with (tmp_path / "broker.log").open("wb") as log:
        process = subprocess.Popen(["bash", KAFKA / "start.sh"], env=environment, stdout=log, stderr=log)  # noqa: S603, S607 - our own script
    try:
        yield environment
    finally:
        process.kill()
        process.wait()


async def test_the_script_formats_and_starts_a_broker_and_the_other_says_when_it_answers(
    broker: dict[str, str],
) -> None:
    assert _kafka_is_ready(broker) is False

    await eventually(lambda: _kafka_is_ready(broker), within=60, every=0.2)

    assert await eventually(lambda: brokers_known_to(int(broker["KAFKA_PORT"])), within=10) == {1}


async def test_the_job_makes_databases_whose_roles_enter_theirs_and_no_other(postgres: SharedPostgres) -> None:
    names = ["shop_a", "shop_b"]
    passwords = {
        f"{name.upper()}{kind}": f"{name}{kind}".lower() for name in names for kind in ("_PASSWORD", "_OWNER_PASSWORD")
    }
    environment = {"POSTGRES_ADMIN_URL": postgres.admin_dsn, "VERIFIER_PASSWORD": "looks", **passwords}

    await create(names, environment)
    await create(names, environment)

    connection = await asyncpg.connect(postgres.dsn("shop_a", "shop_a", "shop_a_password"))
    await connection.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(postgres.dsn("shop_b", "shop_a", "shop_a_password"))


def test_the_pooler_is_configured_for_one_role_and_its_files_are_for_one_user(tmp_path: Path) -> None:
    written = configure(POOLER, tmp_path)

    settings = written.read_text()
    assert "loms = host=postgres port=5432" in settings
    assert "max_prepared_statements = 200" in settings
    assert (tmp_path / "users.txt").read_text() == '"loms" "with ""quotes"""\n'
    assert {oct(path.stat().st_mode)[-3:] for path in tmp_path.iterdir()} == {"600"}


@pytest.fixture
def readiness() -> Iterator[list[int]]:
    """A process that answers /readyz with the code in the list; the second number is its port."""
    state = [200, 0]

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(state[0] if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer((LOOPBACK, 0), Answer)
    state[1] = server.server_port
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_process_is_ready_when_it_says_so(readiness: list[int]) -> None:
    assert _ask("http", readiness[1]) == 0

    readiness[0] = 503

    assert _ask("http", readiness[1]) == 1


@pytest.mark.parametrize("kind", ["http", "pooler"])
def test_nothing_is_ready_where_nobody_listens(kind: str) -> None:
    (port,) = free_ports(1)

    assert _ask(kind, port) == 1


def _ask(kind: str, port: int) -> int:
    asked = [sys.executable, "-IS", str(READY), kind, str(port)]
    return subprocess.run(asked, check=False, capture_output=True).returncode  # noqa: S603 - our own script


def _kafka_is_ready(environment: dict[str, str]) -> bool:
    asked = ["bash", str(KAFKA / "ready.sh")]
    return subprocess.run(asked, check=False, capture_output=True, env=environment).returncode == 0  # noqa: S603 - our own script
