"""The stack's life as its user sees it. The tests share one home and tell one story, in the order they stand here."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import pytest

from stack.leftovers import living_processes, supervisor_of
from stack.ports import LOOPBACK, free_port
from stack.state import Status, read_state
from stack.usage import pss
from tests.e2e.stack.conftest import COMMAND_SECONDS_MAX, Stack, a_stack
from tests.waiting import eventually

pytestmark = pytest.mark.faults

SERVERS = {"postgres", "kafka", "valkey", "valkey-cache-0", "valkey-cache-1", "telegram"}
MEMORY_BYTES_MAX = 1_800 << 20


def test_two_starts_at_the_same_moment_make_one_stack(stack: Stack) -> None:
    both = [stack.begin("up", "--servers-only"), stack.begin("up", "--servers-only")]

    said = [started.communicate(timeout=170)[1].decode() for started in both]

    assert [started.returncode for started in both] == [0, 0], said
    assert set(living_processes(stack.home)) == SERVERS
    assert any("kafka ready after" in each for each in said)
    assert 0 < pss(stack.home) < MEMORY_BYTES_MAX


def test_up_again_changes_nothing_and_says_what_runs_where_and_how_fast_it_was(stack: Stack) -> None:
    before = read_state(stack.home)

    answer = stack.up()

    assert answer.code == 0, answer.err
    assert answer.json["already_running"]
    assert read_state(stack.home) == before
    assert {each["name"] for each in answer.json["processes"]} == SERVERS
    assert all(each["status"] == "ready" and each["seconds"] > 0 for each in answer.json["processes"])
    assert all(each["version"] and each["address"].startswith("127.0.0.1:") for each in answer.json["processes"])


def test_another_number_of_brokers_is_refused(stack: Stack) -> None:
    answer = stack.onelane("up", "--brokers", "3")

    assert answer.code == 4
    assert "was made by 1 broker(s), 3 asked for" in answer.err


def test_addresses_hide_passwords_unless_asked(stack: Stack) -> None:
    hidden = stack.onelane("urls", "--output", "json")
    shown = stack.onelane("urls", "--output", "json", "--show-secrets")

    names = {each["name"]: each["address"] for each in hidden.json["urls"]}
    assert names["valkey"].startswith("redis://:***@127.0.0.1:")
    assert "***" not in shown.out


def test_doctor_finds_a_running_stack_well(stack: Stack) -> None:
    answer = stack.onelane("doctor", "--output", "json")

    assert answer.code == 0, answer.out
    assert {"name": "stack", "ok": True, "found": "running, 6 processes", "cure": ""} in answer.json["findings"]


def test_logs_are_told_by_process(stack: Stack) -> None:
    assert "postgres | " in stack.onelane("logs").out
    assert stack.onelane("logs", "nobody").code == 2


async def test_a_killed_server_is_started_again_and_the_others_stay(stack: Stack) -> None:
    before = read_state(stack.home).processes

    psutil.Process(before["valkey"].pids[0]).kill()

    def restarted() -> bool:
        valkey = read_state(stack.home).processes["valkey"]
        return valkey.status is Status.READY and valkey.restarts == 1

    await eventually(restarted)
    after = read_state(stack.home).processes
    assert after["valkey"].pids != before["valkey"].pids
    assert after["postgres"] == before["postgres"]
    assert after["kafka"] == before["kafka"]


async def test_after_the_supervisor_was_killed_up_needs_no_state_ends_its_orphans_and_starts_cleanly(
    stack: Stack,
) -> None:
    orphans = {name: process.pid for name, process in living_processes(stack.home).items()}
    supervisor = supervisor_of(stack.home)
    assert supervisor is not None
    supervisor.kill()
    supervisor.wait(10)

    stack.home.state_file.write_text('{"schema": 0}', encoding="utf-8")
    answer = stack.up()

    assert answer.code == 0, answer.err
    assert not answer.json["already_running"]
    assert set(orphans) == SERVERS
    assert "a dead supervisor had left" in answer.err
    assert not set(orphans.values()) & {process.pid for process in living_processes(stack.home).values()}


def test_down_after_a_killed_supervisor_leaves_nothing_too(stack: Stack) -> None:
    supervisor = supervisor_of(stack.home)
    assert supervisor is not None
    supervisor.kill()
    supervisor.wait(10)
    assert stack.onelane("doctor").code == 3

    answer = stack.onelane("down", "--output", "json")

    assert answer.code == 0, answer.err
    assert set(answer.json["leftovers"]) == SERVERS
    assert living_processes(stack.home) == {}


async def test_ctrl_c_during_the_start_gives_it_up_however_often_and_keeps_the_data(stack: Stack) -> None:
    starting = stack.begin("up", "--servers-only")
    await eventually(lambda: "kafka" in living_processes(stack.home), within=60)
    living_processes(stack.home)["kafka"].suspend()  # it will never be ready, nor hear that it is to end
    supervisor = supervisor_of(stack.home)
    assert supervisor is not None
    with frozen(supervisor):
        starting.send_signal(signal.SIGINT)
        await_line(starting.stderr, "stopping; the data is kept")
        starting.send_signal(signal.SIGINT)
        await_line(starting.stderr, "still stopping…")
    starting.communicate(timeout=60)

    assert starting.returncode == 130
    assert read_state(stack.home).processes["kafka"].ready_after is None
    assert supervisor_of(stack.home) is None
    assert living_processes(stack.home) == {}
    assert (stack.home.data / "postgres" / "data" / "PG_VERSION").is_file()


async def test_up_while_the_stack_stops_waits_until_it_is_gone_and_then_starts_it(stack: Stack) -> None:
    first = stack.begin("up", "--servers-only")
    await eventually(lambda: is_ready(stack, "valkey"), within=60)
    supervisor = supervisor_of(stack.home)
    assert supervisor is not None
    with frozen(supervisor):
        supervisor.terminate()
        second = stack.begin("up", "--servers-only")
        await_line(second.stderr, "valkey ready after")

    said = [each.communicate(timeout=COMMAND_SECONDS_MAX)[1].decode() for each in (first, second)]

    assert (first.returncode, second.returncode) == (1, 0), said
    assert "the stack was stopped while it started\ncure: onelane up" in said[0]
    assert "the stack is stopping; it is started when it is gone" in said[1]
    assert set(living_processes(stack.home)) == SERVERS
    assert stack.onelane("down").code == 0


def test_reset_plans_first_and_deletes_only_when_told(stack: Stack) -> None:
    plan = stack.onelane("reset", "--output", "json")
    assert stack.home.data.is_dir()

    done = stack.onelane("reset", "--execute", "--output", "json")

    assert plan.code == done.code == 0
    assert not plan.json["executed"]
    assert str(stack.home.data) in {each["path"] for each in plan.json["delete"]}
    assert list(stack.home.folder.iterdir()) == []


def test_down_with_nothing_running_says_so(stack: Stack) -> None:
    answer = stack.onelane("down")

    assert (answer.code, answer.out.strip()) == (0, "nothing was running")


def test_a_port_in_use_is_named_with_its_setting_and_holder_and_nothing_is_left(tmp_path: Path) -> None:
    stack = a_stack(tmp_path)
    port = free_port()
    with socket.create_server((LOOPBACK, port)):
        answer = stack.up(ONELANE_KAFKA_PORT=str(port))

    assert answer.code == 1
    assert f"port {port} (ONELANE_KAFKA_PORT) is in use" in answer.err
    assert f"(pid {psutil.Process().pid})" in answer.err
    assert supervisor_of(stack.home) is None
    assert living_processes(stack.home) == {}


def test_a_setting_out_of_bounds_is_a_usage_error(tmp_path: Path) -> None:
    answer = a_stack(tmp_path).up(ONELANE_HEALTH_PORT="many")

    assert answer.code == 2
    assert "ONELANE_HEALTH_PORT='many' is not a port" in answer.err


def is_ready(stack: Stack, name: str) -> bool:
    process = read_state(stack.home).processes.get(name)
    return process is not None and process.status is Status.READY


@contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    """Let it do nothing meanwhile; what it is sent waits for it."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def await_line(words: IO[bytes] | None, text: str) -> None:
    """Block until a command says it; the end of its words is a failure."""
    assert words is not None
    assert any(text in line.decode() for line in words), f"it never said {text!r}"
