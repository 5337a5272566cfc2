"""The examples do what they say, each with nothing but its library around it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import httpx
import pytest

from stack.ports import free_port
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.given import Database, MakeTopic, SharedKafka

ROOT = Path(__file__).resolve().parents[3]
DEPENDENCIES = (
    "aiokafka",
    "async-timeout",
    "asyncpg",
    "opentelemetry-api",
    "orjson",
    "packaging",
    "prometheus-client",
    "typing-extensions",
)
"""What a library needs, closure included: everything its README names and nothing of ours."""


@pytest.fixture(scope="module")
def empty_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the libraries' own dependencies, from the project's lock, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    lock = folder / "libraries.lock"
    lock.write_text("\n".join(_locked(name) for name in DEPENDENCIES))
    venv.create(folder / "venv", with_pip=True, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    _run([str(python), "-m", "pip", "install", "-q", "--require-hashes", "--no-deps", "-r", str(lock)], folder, {})
    return python


async def test_the_outbox_works_alone(
    empty_environment: Path, tmp_path: Path, database: Database, kafka: SharedKafka, topic: MakeTopic
) -> None:
    shutil.copytree(ROOT / "outbox", tmp_path / "outbox")
    shutil.copy(ROOT / "examples" / "outbox_alone" / "shop.py", tmp_path)

    said = _run([str(empty_environment), "shop.py"], tmp_path, await _given(database, kafka, topic))

    assert said.splitlines() == ["42 order.placed", "42 order.paid", "42 order.shipped"]


async def test_the_inbox_works_alone(
    empty_environment: Path, tmp_path: Path, database: Database, kafka: SharedKafka, topic: MakeTopic
) -> None:
    shutil.copytree(ROOT / "inbox", tmp_path / "inbox")
    shutil.copy(ROOT / "examples" / "inbox_alone" / "ledger.py", tmp_path)

    said = _run([str(empty_environment), "ledger.py"], tmp_path, await _given(database, kafka, topic))

    assert said.splitlines() == ["account-7 v1 +100", "account-7 v2 -30", "account-7 v3 +5"]


async def test_the_fastapi_shop_appends_in_its_requests_transaction(
    database: Database, kafka: SharedKafka, topic: MakeTopic
) -> None:
    given = await _given(database, kafka, topic)
    port = free_port()
    argv = [sys.executable, "-m", "uvicorn", "examples.fastapi_shop.app:app", "--port", str(port)]
    served = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, env={**os.environ, **given})
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            placed = await eventually(lambda: _placed(client), within=20)
            paid = await client.post(f"/orders/{placed['order_id']}/pay")
            twice = await client.post(f"/orders/{placed['order_id']}/pay")
    finally:
        served.terminate()
        await served.wait()

    assert (paid.status_code, twice.status_code) == (200, 409)
    assert await _appended(database) == [(1, "order.placed"), (2, "order.paid")]


async def _placed(client: httpx.AsyncClient) -> dict[str, int]:
    try:
        answer = await client.post("/orders")
    except httpx.TransportError as error:
        raise AssertionError("not serving yet") from error
    assert answer.status_code == 201
    placed: dict[str, int] = answer.json()
    return placed


async def _appended(database: Database) -> list[tuple[int, str]]:
    connection = await asyncpg.connect(database.dsn)
    rows = await connection.fetch("select version, type from outbox where key = '1' order by seq")
    await connection.close()
    return [(row["version"], row["type"]) for row in rows]


async def _given(database: Database, kafka: SharedKafka, topic: MakeTopic) -> dict[str, str]:
    return {"DATABASE_URL": database.dsn, "KAFKA": kafka.bootstrap, "TOPIC": await topic("example")}


def _locked(name: str) -> str:
    found = re.search(rf"^{name}==.*?(?=^\S|\Z)", (ROOT / "requirements.lock").read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{name} is not in requirements.lock"
    return found[0]


def _run(argv: list[str], folder: Path, given: Mapping[str, str]) -> str:
    environment = {**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, **given}
    ended = subprocess.run(  # noqa: S603 - the example, in its own environment
        argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
