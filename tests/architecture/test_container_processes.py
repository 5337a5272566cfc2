"""The containers run what the stack runs: the same processes, told the same by the same names, behind the same door."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from stack.access import Access
from stack.envoy_config import render
from stack.passwords import NAMES
from stack.processes import CACHE_SHARDS
from stack.services import SERVICES, Service
from stack.settings import PORTS
from tests.containers import compose, dockerfile
from tests.containers.compose import ROOT
from tests.settings_read import settings_classes, variables_of

WRITTEN: dict[str, dict[str, Any]] = compose.written()["services"]
FILLED: dict[str, dict[str, Any]] = compose.filled(compose.example())["services"]
JOBS = {name for name, service in FILLED.items() if service["restart"] == "no"}
DATABASES = sorted(path.parent.name for path in (ROOT / "services").glob("*/migrations"))
DOOR = yaml.safe_load((ROOT / "deploy" / "envoy" / "containers.yaml").read_text())["static_resources"]

every_process = pytest.mark.parametrize("process", SERVICES, ids=lambda process: process.name)


@every_process
def test_every_process_of_the_stack_runs_in_a_container(process: Service) -> None:
    assert _containers_of(process.module, process.command) != []


@every_process
def test_a_process_is_told_all_that_it_reads_and_no_secret_it_does_not_need(process: Service) -> None:
    read = _read_by(process.module, process.command)

    assert {name: _told(name) ^ read for name in _containers_of(process.module, process.command)} == {
        name: set() for name in _containers_of(process.module, process.command)
    }


@every_process
def test_a_process_is_told_what_the_stack_tells_it_by_the_same_names(process: Service) -> None:
    by_the_stack = {*process.environment(_access()), f"{process.prefix}_HEALTH_ADDRESS", f"{process.prefix}_INSTANCE"}
    read = _read_by(process.module, process.command)

    for name in _containers_of(process.module, process.command):
        assert by_the_stack & read <= {key for key, value in FILLED[name]["environment"].items() if value}


@pytest.mark.parametrize("name", [each for each in FILLED if each in JOBS and each.endswith(("-migrate", "-seed"))])
def test_a_schema_job_is_told_what_it_reads(name: str) -> None:
    module = dockerfile.program(FILLED[name]["build"]["target"], None)[2]

    assert _told(name) == set(variables_of(settings_classes(f"{module}.settings")["SchemaSettings"]))


def test_no_two_processes_have_the_same_name() -> None:
    instances = [
        value
        for service in FILLED.values()
        for variable, value in service.get("environment", {}).items()
        if variable.endswith("_INSTANCE")
    ]

    assert sorted(instances) == sorted(set(instances))


def test_every_container_of_ours_runs_a_command_its_program_knows() -> None:
    unknown = []
    for name, service in FILLED.items():
        if "build" in service:
            argv = dockerfile.program(service["build"]["target"], service.get("command"))
            if argv[2:3] and argv[2].startswith("services."):
                known = re.search(r"choices=(\[.*?\])", (ROOT / argv[2].replace(".", "/") / "__main__.py").read_text())
                unknown += [] if known and argv[3] in json.loads(known[1]) else [name]

    assert unknown == []


@pytest.mark.parametrize("database", DATABASES)
def test_every_service_with_a_schema_has_a_database_roles_a_pooler_and_its_migrations(database: str) -> None:
    assert database in FILLED["databases"]["command"]
    assert {f"{database.upper()}_PASSWORD", f"{database.upper()}_OWNER_PASSWORD"} <= _told("databases")
    assert FILLED[f"{database}-pgbouncer"]["environment"]["POOLER_DATABASE"] == database
    assert f"{database}-migrate" in JOBS


def test_a_program_may_do_in_valkey_what_the_stack_lets_it_do_and_no_more() -> None:
    users = {"valkey-limits": _access().limits_user} | {
        f"valkey-cache-{number}": _access().cache_user for number in range(CACHE_SHARDS)
    }
    told = {name: FILLED[name]["environment"] for name in users}

    assert {
        name: f"user {each['VALKEY_USER']} resetchannels {each['VALKEY_USER_MAY']}" for name, each in told.items()
    } == {name: re.sub(r" on #\w+", "", user.line()).strip() for name, user in users.items()}


def test_every_program_comes_to_valkey_as_its_user_and_nobody_as_the_operator() -> None:
    comes = re.compile(r"redis://([^:@/]*):(\$\{\w+\})@([a-z0-9-]+):")
    asked = {each for service in WRITTEN.values() for each in comes.findall(json.dumps(service))}

    assert asked == {
        ("limits", "${VALKEY_LIMITS_PASSWORD}", "valkey-limits"),
        ("cart-cache", "${VALKEY_CACHE_PASSWORD}", "valkey-cache-0"),
        ("cart-cache", "${VALKEY_CACHE_PASSWORD}", "valkey-cache-1"),
    }


def test_three_brokers_form_the_cluster_and_keep_every_record_thrice() -> None:
    brokers = {
        name: each["environment"] for name, each in FILLED.items() if "KAFKA_NODE_ID" in each.get("environment", {})
    }

    assert {f"{each['KAFKA_NODE_ID']}@{name}:9093" for name, each in brokers.items()} == set(
        brokers["kafka-1"]["KAFKA_VOTERS"].split(",")
    )
    assert len(brokers) == 3
    assert FILLED["topics"]["command"][-2:] == ["--replication", "3"]


def test_the_door_says_of_loms_what_the_stacks_proxy_says() -> None:
    by_the_stack = yaml.safe_load(render(listen="0.0.0.0:8084", upstream="loms-api:8083", descriptor=ROOT / "loms.pb"))
    expected = by_the_stack["static_resources"]
    listener = next(each for each in DOOR["listeners"] if each["name"] == "loms")
    cluster = next(each for each in DOOR["clusters"] if each["name"] == "loms")

    assert _without_place(listener) == _without_place(expected["listeners"][0])
    assert {**cluster, "type": "STATIC"} == expected["clusters"][0]


def test_the_doors_ports_are_those_published() -> None:
    ports = {str(each["address"]["socket_address"]["port_value"]) for each in DOOR["listeners"]}

    assert ports == {port.rpartition(":")[2] for port in FILLED["envoy"]["ports"]}


def _containers_of(module: str, command: str) -> list[str]:
    return [
        name
        for name, service in FILLED.items()
        if "build" in service
        and dockerfile.program(service["build"]["target"], service.get("command"))[1:] == ["-m", module, command]
    ]


def _read_by(module: str, command: str) -> set[str]:
    return set(variables_of(settings_classes(f"{module}.settings")[f"{command.capitalize()}Settings"]))


def _told(name: str) -> set[str]:
    return set(FILLED[name].get("environment", {}))


def _access() -> Access:
    ports = {name: (setting.default,) for name, setting in PORTS.items()}
    return Access(ports | {"valkey-cache": tuple(range(CACHE_SHARDS))}, dict.fromkeys(NAMES, "secret"))


def _without_place(listener: dict[str, Any]) -> dict[str, Any]:
    """The listener without its name, and with its files by their names alone."""
    text = re.sub(r'"[^"]*/(loms\.pb|loms\.openapi\.json|docs\.html)"', r'"\1"', json.dumps({**listener, "name": ""}))
    return dict(json.loads(text))
