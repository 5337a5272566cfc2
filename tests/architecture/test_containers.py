"""The containers keep their promises, and need no engine to be held to them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from tests.containers import compose, dockerfile
from tests.containers.compose import ROOT

WRITTEN: dict[str, dict[str, Any]] = compose.written()["services"]
FILLED: dict[str, dict[str, Any]] = compose.filled(compose.example())["services"]
JOBS = {name for name, service in FILLED.items() if service["restart"] == "no"}
KEPT = FILLED.keys() - JOBS
DOOR = {"envoy": {"8080", "8082", "8084", "8087"}, "kafka-page": {"8080"}}
CALLS_TELEGRAM = {"notification-sender", "notification-bot"}
READ_BY_COMPOSE_ITSELF = {"COMPOSE_PROFILES"}

every_service = pytest.mark.parametrize("name", FILLED)


# --- what is reached from outside, and what may be done inside --------------------------------------------------------


def test_only_the_door_and_the_page_are_published() -> None:
    published = {
        name: {port.rpartition(":")[2] for port in service["ports"]}
        for name, service in FILLED.items()
        if "ports" in service
    }

    assert published == DOOR


def test_what_is_published_is_published_to_this_machine_alone() -> None:
    ports = [port for service in FILLED.values() for port in service.get("ports", ())]

    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_only_doors_and_who_calls_telegram_leave_the_inner_network() -> None:
    elsewhere = {name for name, service in FILLED.items() if set(service["networks"]) != {"inside"}}

    assert compose.written()["networks"]["inside"] == {"internal": True}
    assert elsewhere <= DOOR.keys() | CALLS_TELEGRAM


@every_service
def test_a_service_has_bounds(name: str) -> None:
    limits = FILLED[name]["deploy"]["resources"]["limits"]

    assert float(limits["cpus"]) > 0
    assert int(limits["pids"]) > 0
    assert re.fullmatch(r"[1-9]\d*[MG]", limits["memory"])
    assert {"max-size", "max-file"} <= FILLED[name]["logging"]["options"].keys()


@every_service
def test_a_service_is_no_root_and_gains_no_rights(name: str) -> None:
    service = FILLED[name]
    user = service.get("user") or dockerfile.last_said(service["build"]["target"], "USER")

    assert user.partition(":")[0] not in {"", "root", "0"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@every_service
def test_a_service_writes_to_memory_and_its_volume_alone(name: str) -> None:
    service = FILLED[name]
    files = [str(volume) for volume in service.get("volumes", ()) if str(volume).startswith(".")]

    assert service["read_only"] is True
    assert [volume for volume in files if not volume.endswith(":ro")] == []


# --- how it is kept, and in which order it starts ---------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(KEPT))
def test_what_is_kept_says_how_it_is_and_comes_back(name: str) -> None:
    health = FILLED[name]["healthcheck"]

    assert FILLED[name]["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries", "start_period", "start_interval"} <= health.keys()


@pytest.mark.parametrize("name", sorted(JOBS))
def test_a_job_is_waited_for_by_somebody(name: str) -> None:
    waited_for = {needed for service in FILLED.values() for needed in service.get("depends_on", ())}

    assert name in waited_for


@every_service
def test_a_service_waits_for_the_end_of_jobs_and_the_health_of_others(name: str) -> None:
    needs = FILLED[name].get("depends_on", {})

    assert needs.keys() <= FILLED.keys()
    assert {needed: how["condition"] for needed, how in needs.items()} == {
        needed: "service_completed_successfully" if needed in JOBS else "service_healthy" for needed in needs
    }


def test_who_is_only_in_a_profile_is_not_insisted_on() -> None:
    insisted = [
        (name, needed)
        for name, service in FILLED.items()
        for needed, how in service.get("depends_on", {}).items()
        if FILLED[needed].get("profiles", []) != service.get("profiles", []) and FILLED[needed].get("profiles")
        if how.get("required", True)
    ]

    assert insisted == []


# --- variables and secrets --------------------------------------------------------------------------------------------


def test_every_variable_has_a_line_in_the_example() -> None:
    documented = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", compose.EXAMPLE.read_text(), re.MULTILINE))

    assert compose.variables() - documented == set()


def test_a_copy_of_the_example_is_all_it_needs() -> None:
    compose.filled(compose.example())

    assert compose.example().keys() <= compose.variables() | READ_BY_COMPOSE_ITSELF


def test_the_example_shows_the_defaults_of_the_containers_own_variables() -> None:
    shown = dict(re.findall(r"^#(ONELANE_[A-Z0-9_]+)=(.*)$", compose.EXAMPLE.read_text(), re.MULTILINE))
    given = {(name, default) for name, default in compose.defaults() if name.startswith("ONELANE_")}

    assert {(name, default, shown[name]) for name, default in given if shown[name] != default} == set()


def test_no_secret_is_written_in_the_file() -> None:
    secret = re.compile(r"(PASSWORD|TOKEN|API_KEY)$")
    clear = re.compile(r"://[^/@\s\"]*:(?!\$\{)[^/@\s\"]+@")
    environments = [(name, service.get("environment", {})) for name, service in WRITTEN.items()]
    named = {
        f"{name}: {variable}"
        for name, environment in environments
        for variable, value in environment.items()
        if secret.search(variable) and not re.fullmatch(r"\$\{[A-Z_]+(:\?[^}]*)?\}", value)
    }

    assert named == set()
    assert clear.findall((ROOT / "docker-compose.yml").read_text()) == []


def test_no_command_carries_a_secret() -> None:
    commands = {name: json.dumps([each.get("command"), each.get("healthcheck")]) for name, each in WRITTEN.items()}

    assert {
        name for name, said in commands.items() if re.search(r"[^$]\$\{?[A-Z_]*(PASSWORD|TOKEN|KEY)", said)
    } == set()


# --- images -----------------------------------------------------------------------------------------------------------


@every_service
def test_an_image_is_pinned_and_names_no_registry(name: str) -> None:
    repository, _, tag = FILLED[name]["image"].partition(":")

    assert re.search(r"\d+\.\d+", tag)
    assert "." not in repository
    assert repository.count("/") <= 1


def test_the_base_image_is_pinned_and_can_be_chosen() -> None:
    outside = {stage.base for stage in dockerfile.stages().values()} - dockerfile.stages().keys()
    default = re.search(r"^ARG PYTHON_IMAGE=(.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert outside == {"${PYTHON_IMAGE}"}
    assert default is not None
    assert {each["build"]["args"]["PYTHON_IMAGE"] for each in FILLED.values() if "build" in each} == {default[1]}


def test_every_target_is_used_and_every_one_used_exists() -> None:
    used = {service["build"]["target"] for service in FILLED.values() if "build" in service}

    assert used == dockerfile.final_stages()


def test_an_image_carries_the_name_of_its_target() -> None:
    named = {each["image"].partition(":")[0]: each["build"]["target"] for each in FILLED.values() if "build" in each}

    assert named == {f"onelane-{target}": target for target in named.values()}


def test_everything_that_is_copied_or_mounted_exists() -> None:
    copied = {source for stage in dockerfile.stages().values() for source in stage.copied()}
    mounted = {volume.split(":")[0] for each in FILLED.values() for volume in each.get("volumes", ())}
    files = {volume for volume in mounted if volume.startswith(".")}

    assert {source for source in copied | files if not (ROOT / source).exists()} == set()
    assert mounted - files == compose.written()["volumes"].keys()


def test_a_build_sees_what_it_copies_and_no_secret() -> None:
    copied = {source for stage in dockerfile.stages().values() for source in stage.copied()}

    assert {source for source in copied if not dockerfile.seen_by_a_build(source)} == set()
    assert [
        path
        for path in (".env", ".git/HEAD", "tests/conftest.py", ".onelane/secrets.json")
        if dockerfile.seen_by_a_build(path)
    ] == []


# --- as the engine itself reads it ------------------------------------------------------------------------------------


def test_docker_compose_reads_the_file_as_we_do() -> None:
    if not _compose_is_here():
        pytest.skip("docker compose is not installed: nothing but our own reading was checked")
    command = ["docker", "compose", "--env-file", str(compose.EXAMPLE), "--profile", "*", "config", "--format", "json"]

    read = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)["services"]  # noqa: S603 - our own argv

    assert {name: each.get("environment", {}) for name, each in read.items()} == {
        name: {key: str(value) for key, value in each.get("environment", {}).items()} for name, each in FILLED.items()
    }
    assert {name: each["image"] for name, each in read.items()} == {
        name: each["image"] for name, each in FILLED.items()
    }


def _compose_is_here() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "compose", "version"], check=False, capture_output=True).returncode == 0  # noqa: S603 - our own argv
