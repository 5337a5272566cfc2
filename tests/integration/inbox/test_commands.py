"""The command lines, `python -m inbox` and `onelane inbox`, against a running consumer."""

import asyncio
import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest

import cli.main
import inbox.__main__
from inbox import TopicPolicy, operations
from tests.given import Database, MakeTopic
from tests.integration.inbox.test_deciding import Handler
from tests.integration.inbox.world import CONSUMER, World, an_event, log_of

POISON = UUID(int=2)


async def library(world: World, *arguments: str) -> int:
    """Run `python -m inbox` with these arguments on the world's database."""
    return await asyncio.to_thread(inbox.__main__.main, [*arguments, "--dsn", world.dsn])


async def onelane(world: World, *arguments: str) -> int:
    """Run `onelane inbox` with these arguments on the world's database."""
    return await asyncio.to_thread(cli.main.run, ["inbox", *arguments, "--dsn", world.dsn])


async def with_something_parked(world: World, topic: MakeTopic) -> str:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2, body=b"poison", event_id=POISON), an_event("42", 3))
    world.start(TopicPolicy(name), handler=Handler())
    await world.reaches(name, 3)
    return name


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


async def test_the_printed_sql_makes_the_tables(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert inbox.__main__.main(["install-sql", "--app-role", "postgres"]) == 0

    connection = await asyncpg.connect(database.dsn)
    await connection.execute(capsys.readouterr().out)
    assert await connection.fetchval("select count(*) from inbox_partition") == 0
    await connection.close()


async def test_status_exits_3_when_something_waits(
    world: World, topic: MakeTopic, capsys: pytest.CaptureFixture[str]
) -> None:
    name = await with_something_parked(world, topic)

    assert await library(world, "status", "--output", "json", "--bootstrap", world.bootstrap) == 3

    (row,) = printed(capsys)
    assert (row["topic"], row["next_offset"], row["end_offset"], row["parked_keys"]) == (name, 3, 3, 1)
    assert await onelane(world, "status", "--output", "json") == 3


async def test_parked_lists_what_waits_and_why(
    world: World, topic: MakeTopic, capsys: pytest.CaptureFixture[str]
) -> None:
    await with_something_parked(world, topic)

    assert await library(world, "parked") == 0
    table = capsys.readouterr().out
    assert await onelane(world, "parked", "--output", "json") == 0
    first, second = printed(capsys)

    assert "unknown status" in table
    assert (first["key"], first["why"], first["applied"], first["version"]) == ("42", "poison", 1, 2)
    assert second["reason"] == "behind a parked event"


@pytest.mark.parametrize("program", ["library", "onelane"])
async def test_discard_and_release_are_carried_out_by_the_consumer(
    program: str, world: World, topic: MakeTopic
) -> None:
    name = await with_something_parked(world, topic)
    where = ["--topic", name, "--consumer", CONSUMER, "--reason", "because"]

    if program == "library":
        still_refused = await library(world, "release", "--key", "42", *where)
        dropped = await library(world, "discard", "--key", "42", "--event-id", str(POISON), *where)
        nothing_left = await library(world, "release", "--key", "42", *where)
    else:
        still_refused = await onelane(world, "release", "42", *where)
        dropped = await onelane(world, "discard", "42", str(POISON), *where)
        nothing_left = await onelane(world, "release", "42", *where)

    assert (still_refused, dropped, nothing_left) == (0, 0, 4)
    assert await world.applied("42") == [1, 3]


@pytest.mark.parametrize("program", ["library", "onelane"])
async def test_a_rewind_is_planned_and_acts_only_when_told(program: str, world: World, topic: MakeTopic) -> None:
    name = await with_something_parked(world, topic)
    await world.stop()
    run = library if program == "library" else onelane
    plan = ["rewind", "--topic", name, "--consumer", CONSUMER, "--bootstrap", world.bootstrap]
    where = ["--partition", "0", "--to-offset", "1"]

    assert await run(world, *plan) == 2
    assert await run(world, *plan, *where, "--execute") == 2
    assert await run(world, *plan, *where) == 0
    assert await world.position(name) == 3
    assert await run(world, *plan, *where, "--execute", "--reason", "look again") == 0

    assert await world.position(name) == 1
    kept = await world.connection.fetchrow("select action, reason, outcome from inbox_audit")
    assert kept is not None
    assert tuple(kept) == ("rewind", "look again", "from 3 to 1")


@pytest.mark.parametrize("program", ["library", "onelane"])
async def test_only_a_refused_position_is_reset(program: str, world: World, topic: MakeTopic) -> None:
    name = await with_something_parked(world, topic)
    await world.stop()
    run = library if program == "library" else onelane
    act = ["reset", "--topic", name, "--consumer", CONSUMER, "--bootstrap", world.bootstrap]
    act += ["--to", "keep", "--execute", "--reason", "restored from a copy"]

    assert await run(world, *act) == 4
    await world.connection.execute("update inbox_partition set needs_reset = 'another cluster'")
    assert await run(world, *act) == 0

    assert await world.position(name) == 3
    assert await world.connection.fetchval("select needs_reset from inbox_partition") is None


async def test_a_database_without_the_tables_says_how_to_make_them(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(inbox.__main__.main, ["status", "--dsn", database.dsn]) == 1
    assert "python -m inbox install-sql" in capsys.readouterr().err


async def test_a_position_nobody_has_is_told_with_those_there_are(
    world: World, topic: MakeTopic, capsys: pytest.CaptureFixture[str]
) -> None:
    name = await with_something_parked(world, topic)
    where = ["--topic", name, "--bootstrap", world.bootstrap, "--to-time", "2026-01-01T00:00:00Z"]

    assert await library(world, "rewind", "--consumer", "nobody", *where) == 4
    told = capsys.readouterr().err
    assert f"nobody has no position in {name}; positions there are: {CONSUMER} {name}/0" in told

    assert await library(world, "rewind", "--consumer", CONSUMER, "--partition", "9", *where) == 4
    assert f"{CONSUMER} has no position in {name}/9" in capsys.readouterr().err


async def test_a_release_that_applied_nothing_says_what_to_do(
    world: World, topic: MakeTopic, capsys: pytest.CaptureFixture[str]
) -> None:
    name = await with_something_parked(world, topic)
    where = ["--topic", name, "--consumer", CONSUMER, "--key", "42", "--reason", "because"]

    assert await library(world, "release", *where) == 0
    assert "nothing was applied, the key stays parked" in capsys.readouterr().err


async def test_an_empty_reason_decides_nothing(world: World) -> None:
    with pytest.raises(operations.NoReason):
        await operations.decide(
            world.connection, "release", consumer="c", topic="t", key="42", reason=" ", by="somebody"
        )
