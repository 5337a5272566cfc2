"""A child process: however it is left, its owner's successor finds the truth."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stack.errors import FolderInUse, ServerFailed
from stack.servers.child import Child

DEAF = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 60; done")


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(name="server", folder=tmp_path, dies_with_parent=True)
    yield child
    child.kill()


def says_ready(child: Child) -> bool:
    return "ready" in child.log.read_text()


def test_one_that_does_not_listen_to_reason_is_killed_with_its_children(child: Child) -> None:
    child.spawn(DEAF)
    child.await_ready(lambda: says_ready(child), seconds_max=10)
    family = psutil.Process(child.pid).children()

    child.stop(by=signal.SIGTERM, seconds_max=0.1)

    assert child.exit_code == -signal.SIGKILL
    assert [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []


def test_one_that_ends_before_it_is_ready_is_reported_with_its_last_words(child: Child) -> None:
    child.spawn(("sh", "-c", "echo cannot open the disk; exit 3"))

    with pytest.raises(ServerFailed, match=r"ended with code 3(.|\n)*cannot open the disk"):
        child.await_ready(lambda: False, seconds_max=10)


def test_one_that_is_never_ready_is_reported_in_time(child: Child) -> None:
    child.spawn(("sleep", "60"))

    with pytest.raises(ServerFailed, match="was not ready after 0 s"):
        child.await_ready(lambda: False, seconds_max=0.05)


def test_the_environment_of_the_caller_does_not_leak(child: Child) -> None:
    child.spawn(("sh", "-c", "env; echo ready; exec sleep 60"))
    child.await_ready(lambda: says_ready(child), seconds_max=10)

    names = {line.split("=")[0] for line in child.log.read_text().splitlines() if "=" in line}

    assert names <= {"PATH", "LANG", "LC_ALL", "TZ", "PWD", "_", "SHLVL", "OLDPWD"}


def test_its_folder_is_its_owners_until_it_has_ended(child: Child, tmp_path: Path) -> None:
    child.spawn(("sleep", "60"))
    other = Child(name="server", folder=tmp_path)

    with pytest.raises(FolderInUse):
        other.claim()
    child.kill()

    other.claim()
    other.kill()


def test_a_stranger_with_the_number_of_a_dead_child_is_left_alone(child: Child, tmp_path: Path) -> None:
    (tmp_path / "server.process").write_text(json.dumps({"pid": os.getppid(), "born": 0.0}))

    child.claim()

    assert psutil.pid_exists(os.getppid())


def test_half_a_record_is_no_record(child: Child, tmp_path: Path) -> None:
    (tmp_path / "server.process").write_text('{"pid": ')

    child.claim()

    assert not (tmp_path / "server.process").exists()
