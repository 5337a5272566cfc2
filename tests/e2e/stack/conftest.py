"""A stack of the tests' own: its home is a temporary folder, its ports are free ones, its face is the real program."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stack.home import Home
from stack.settings import PORTS

COMMAND_SECONDS_MAX = 120


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Stack:
    """One home and the program that keeps it."""

    home: Home
    environment: Mapping[str, str]

    def onelane(self, *arguments: str, **environment: str) -> Answer:
        """Run the program to its end."""
        ended = subprocess.run(  # noqa: S603 - the program under test
            [sys.executable, "-m", "cli.main", *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        return Answer(ended.returncode, ended.stdout, ended.stderr)

    def begin(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Run the program, and go on meanwhile."""
        argv = [sys.executable, "-m", "cli.main", *arguments]
        return subprocess.Popen(argv, env=dict(self.environment), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # noqa: S603 - likewise

    def up(self, **environment: str) -> Answer:
        return self.onelane("up", "--servers-only", "--output", "json", **environment)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Servers only; not started."""
    made = a_stack(tmp_path_factory.mktemp("stack"))
    yield made
    made.onelane("down")


def a_stack(folder: Path) -> Stack:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONELANE_")}
    free = {setting.variable: "0" for setting in PORTS.values()}
    return Stack(Home(folder), {**kept, **free, "ONELANE_HOME": str(folder), "NO_COLOR": "1"})
