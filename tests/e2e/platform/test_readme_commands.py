"""Every command the README tells people to type is run here, against a platform of the tests' own."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from stack.ports import LOOPBACK
from stack.settings import PORTS
from stack.state import read_state

if TYPE_CHECKING:
    from tests.e2e.platform.conftest import Observed


README = Path(__file__).resolve().parents[3] / "README.md"
TYPED = re.findall(r"^\$ (.+?)(?:\s{2,}#.*)?$", README.read_text(), re.MULTILINE)
PROGRAM = ".venv/bin/onelane "
PLACED = "101"
"""The id of the order the README's reader has just placed."""
SHORT_FORM = {"--count 1000": "--count 40"}
"""Long runs in their short form."""


@pytest.fixture(scope="module")
def placed(observed: Observed) -> int:
    """An order that awaits its payment."""
    ended = _onelane(observed, "orders place --user 1001 --item 139275865:1 --output json")
    order_id: int = json.loads(ended.stdout)["order_id"]
    return order_id


@pytest.mark.parametrize("command", [typed for typed in TYPED if typed.startswith(PROGRAM)])
def test_the_program_does_what_the_readme_says(observed: Observed, placed: int, command: str) -> None:
    ended = _onelane(observed, _short(command).removeprefix(PROGRAM).replace(PLACED, str(placed)))

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("command", [typed for typed in TYPED if typed.startswith("curl ")])
async def test_the_calls_of_the_readme_are_answered(observed: Observed, command: str) -> None:
    port, method, path, headers, body = _request(command)

    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{_moved(observed, port)}") as client:
        answer = await client.request(method, path, headers=headers, content=body)

    assert answer.status_code == 200, answer.text


def test_every_command_of_the_readme_is_known_to_a_test() -> None:
    """`make demo`, `make down` and `make test` are run by the gate."""
    assert [typed for typed in TYPED if not typed.startswith((PROGRAM, "curl ", "make "))] == []


def _onelane(observed: Observed, arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the program under test
        [sys.executable, "-m", "cli.main", *shlex.split(arguments)],
        env=dict(observed.platform.environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _short(command: str) -> str:
    for long, short in SHORT_FORM.items():
        command = command.replace(long, short)
    return command


def _moved(observed: Observed, port: int) -> int:
    """Where the platform of the tests has the listener whose port is this one by default."""
    [name] = [name for name, setting in PORTS.items() if setting.default == port]
    return read_state(observed.platform.settings.home).ports[name][0]


def _request(command: str) -> tuple[int, str, str, dict[str, str], str | None]:
    words = shlex.split(command)
    given = dict(pairwise(words))
    url = urlsplit("//" + next(word for word in words if word.startswith("127.0.0.1")))
    name, _, value = given.get("-H", "").partition(": ")
    headers = {name: value} if name else {}
    return url.port or 80, given.get("-X", "GET"), f"{url.path}?{url.query}".rstrip("?"), headers, given.get("-d")
