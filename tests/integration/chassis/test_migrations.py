"""Migrations: the missing steps once, all of them or none, and what follows them every time."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.exc import ProgrammingError

from chassis import migrations
from tests.given import Database

_ENV = """
from chassis.migrations import migrate

migrate("shop", afterwards=["insert into runs default values"])
"""
_STEP = """
from alembic import op

revision = "{revision}"
down_revision = {before}


def upgrade():
    op.execute("{statement}")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The migrations of a shop whose first step makes the table that every run leaves a row in."""
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(_ENV, encoding="utf-8")
    _add_step(tmp_path, "0001", None, "create table runs (n int generated always as identity)")
    return tmp_path


async def test_a_step_runs_once_and_what_follows_runs_every_time(folder: Path, database: Database) -> None:
    await _upgrade(folder, database)
    await _upgrade(folder, database)

    assert await _answer(database, "select count(*) from runs") == 2


async def test_a_step_that_fails_takes_the_steps_before_it_back(folder: Path, database: Database) -> None:
    _add_step(folder, "0002", "0001", "create nonsense")

    with pytest.raises(ProgrammingError):
        await _upgrade(folder, database)

    assert await _answer(database, "select to_regclass('runs')") is None


async def test_a_later_run_goes_on_where_the_last_one_ended(folder: Path, database: Database) -> None:
    await _upgrade(folder, database)
    _add_step(folder, "0002", "0001", "create table later ()")
    await _upgrade(folder, database)

    assert await _answer(database, "select to_regclass('later')") is not None


async def _upgrade(folder: Path, database: Database) -> None:
    await asyncio.to_thread(partial(migrations.upgrade, folder, owner_url=database.dsn, app_role="shop"))


async def _answer(database: Database, question: str) -> Any:
    connection = await asyncpg.connect(database.dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def _add_step(folder: Path, revision: str, before: str | None, statement: str) -> None:
    step = _STEP.format(revision=revision, before=repr(before), statement=statement)
    (folder / "versions" / f"v{revision}.py").write_text(step, encoding="utf-8")
