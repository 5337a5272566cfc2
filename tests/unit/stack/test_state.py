import json
import os
from pathlib import Path

import pytest

from stack.home import Home
from stack.identity import ProcessIdentity
from stack.state import Kind, Phase, ProcessState, State, StateFile, StateUnreadable, Status, read_state


def ourselves() -> ProcessIdentity:
    identity = ProcessIdentity.of(os.getpid())
    assert identity is not None
    return identity


def test_a_home_that_never_had_a_stack_is_stopped(tmp_path: Path) -> None:
    assert read_state(Home(tmp_path)) == State(phase=Phase.STOPPED)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    home = Home(tmp_path)
    file = StateFile(home, State(phase=Phase.STARTING, supervisor=ourselves(), ports={"kafka": (1, 2)}))

    file.change(processes={"kafka": ProcessState(kind=Kind.SERVER, version="4.3.1")})
    file.change_process("kafka", status=Status.READY, pids=(7, 8), seconds=1.5)

    assert read_state(home) == file.state
    assert read_state(home).processes["kafka"].pids == (7, 8)
    assert read_state(home).lives


def test_a_recycled_process_number_is_not_the_supervisor(tmp_path: Path) -> None:
    home = Home(tmp_path)
    earlier = ProcessIdentity(os.getpid(), ourselves().born - 60)

    StateFile(home, State(phase=Phase.RUNNING, supervisor=earlier))

    assert not read_state(home).lives


def test_processes_no_restart_can_help_are_named(tmp_path: Path) -> None:
    file = StateFile(Home(tmp_path), State())

    file.change(
        processes={
            "loms-api": ProcessState(kind=Kind.SERVICE, status=Status.READY),
            "loms-relay-0": ProcessState(kind=Kind.SERVICE, status=Status.NEEDS_OPERATOR),
        }
    )

    assert file.state.stuck == ("loms-relay-0",)


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"schema": 99})])
def test_a_foreign_state_file_is_refused_with_its_cure(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text, encoding="utf-8")

    with pytest.raises(StateUnreadable, match="cure: onelane down"):
        read_state(Home(tmp_path))
