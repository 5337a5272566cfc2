"""The whole platform on free ports, for tests that follow an order through all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from cli.running import Running, running_stack
from stack.leftovers import living_processes
from stack.settings import PORTS, Settings, settings_of
from stack.state import Status, read_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Platform:
    """A running platform of the test's own."""

    settings: Settings
    environment: Mapping[str, str]
    stack: Running

    def process(self, name: str) -> psutil.Process:
        """The living process of that name, as the supervisor recorded it."""
        return living_processes(self.settings.home)[name]

    def onelane(self, *arguments: str) -> str:
        """What the program answers; it must end with 0."""
        return _onelane(arguments, self.environment)

    def ready(self, *names: str) -> bool:
        """Whether the supervisor says these processes are ready."""
        processes = read_state(self.settings.home).processes
        return all(processes[name].status is Status.READY for name in names)

    def restarts(self, name: str) -> int:
        """How often the supervisor has started the process again."""
        return read_state(self.settings.home).processes[name].restarts


@contextmanager
def running_platform(home: Path, **environment: str) -> Iterator[Platform]:
    """Start everything in ``home``; stop it when the block ends, whatever happened in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ONELANE_", "OTEL_"))}
    chosen = {
        **kept,
        **{setting.variable: "0" for setting in PORTS.values()},
        "ONELANE_HOME": str(home),
        "NO_COLOR": "1",
        **environment,
    }
    _onelane(("up",), chosen)
    try:
        yield Platform(settings_of(chosen), chosen, running_stack(chosen))
    finally:
        _onelane(("down",), chosen)


def _onelane(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run the program as a person would, in a process of its own: its children are not this process's."""
    argv = [sys.executable, "-m", "cli.main", *arguments]
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=180, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def kill_nine(process: psutil.Process) -> None:
    """SIGKILL a process and all its children, as a crash of the machine's part would."""
    family = [process, *process.children(recursive=True)]
    for member in family:
        if member.is_running():
            member.send_signal(signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)
