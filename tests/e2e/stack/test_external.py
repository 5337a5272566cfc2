"""The platform on servers that run already: an order reaches a phone, and the servers outlive the platform."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.ports import LOOPBACK, free_port
from stack.servers import Valkey
from tests.e2e.stack.conftest import Stack, a_stack
from tests.given import StartKafka, StartPostgres
from tests.waiting import eventually

pytestmark = pytest.mark.faults

OURS = {"telegram", "envoy", "loms-api", "loms-relay-0", "projection", "cart-api"}


@pytest.fixture
def valkey(server_folder: Path) -> Iterator[Valkey]:
    with Valkey(server_folder / "valkey", free_port(), "outside", dies_with_parent=True) as server:
        yield server


@pytest.fixture
def external(
    tmp_path: Path, own_postgres: StartPostgres, own_kafka: StartKafka, valkey: Valkey
) -> Iterator[tuple[Stack, dict[str, str]]]:
    """A stack, not started, and the variables that name the servers."""
    stack = a_stack(tmp_path)
    named = {
        "ONELANE_EXTERNAL_POSTGRES_URL": own_postgres().admin_dsn,
        "ONELANE_EXTERNAL_KAFKA": own_kafka().bootstrap,
        "ONELANE_EXTERNAL_VALKEY_URL": valkey.url,
    }
    yield stack, named
    stack.onelane("down")


async def test_an_order_passes_through_servers_of_others(
    external: tuple[Stack, dict[str, str]], valkey: Valkey
) -> None:
    stack, named = external

    up = stack.onelane("up", "--external", "--output", "json", **named)

    assert up.code == 0, up.err
    processes = {each["name"]: each for each in up.json["processes"]}
    assert {name for name, each in processes.items() if each["version"] == "external"} == {
        "postgres",
        "kafka",
        "valkey",
    }
    assert processes.keys() >= OURS
    assert {each["status"] for each in processes.values()} == {"ready"}
    placed = stack.onelane("orders", "place", "--user", "1001", "--item", "139275865:1", "--output", "json").json
    order = str(placed["order_id"])
    assert stack.onelane("orders", "pay", order).code == 0
    await eventually(lambda: stack.onelane("verify", "--since", "1h").code == 0, within=60, every=1)
    timeline = json.dumps(stack.onelane("orders", "timeline", order, "--output", "json").json)
    assert "paid" in timeline
    doctor = stack.onelane("doctor", "--output", "json")
    assert doctor.code == 0, doctor.out
    assert {"postgres", "kafka", "valkey"} <= {each["name"] for each in doctor.json["findings"]}

    assert stack.onelane("down").code == 0

    assert valkey.pid is not None
    assert stack.onelane("doctor", "--external", **named).code == 0


def test_a_start_names_every_server_that_cannot_be_used_and_leaves_nothing_behind(tmp_path: Path) -> None:
    stack = a_stack(tmp_path)
    port = free_port()
    named = {
        "ONELANE_EXTERNAL_POSTGRES_URL": f"postgresql://postgres:hidden@{LOOPBACK}:{port}/postgres",
        "ONELANE_EXTERNAL_VALKEY_URL": f"redis://:hidden@{LOOPBACK}:{port}/0",
    }

    up = stack.onelane("up", "--external", **named)
    doctor = stack.onelane("doctor", "--external", "--output", "json", **named)

    assert up.code == 1
    for said in ("ONELANE_EXTERNAL_POSTGRES_URL=postgresql://postgres:***@", "ONELANE_EXTERNAL_KAFKA=: is not set"):
        assert said in up.err.replace("\n", " ")
    assert "hidden" not in up.err
    assert doctor.code == 3
    assert {each["name"] for each in doctor.json["findings"] if not each["ok"]} >= {"postgres", "kafka", "valkey"}
    assert not stack.home.state_file.exists()
