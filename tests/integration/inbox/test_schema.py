"""The tables: what the consumer's role may do with them, and how the days of seen ids turn."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
import pytest

from tests.given import Database
from tests.integration.inbox.world import World, world_of

DAYS_KEPT = 3


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with world_of(database.dsn, "nowhere:1") as made:
        yield made


@pytest.fixture
async def as_consumer(world: World) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the consumer's role."""
    connection = await asyncpg.connect(await world.with_an_ordinary_role())
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    "sql",
    [
        "create table mine (n int)",
        "drop table inbox_seen_default",
        "alter table inbox_partition add column mine int",
        "delete from inbox_audit",
        "truncate inbox_watermark",
    ],
)
async def test_the_consumers_role_runs_no_ddl_and_removes_no_audit(sql: str, as_consumer: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_consumer.execute(sql)


async def test_the_consumers_role_turns_the_days_all_the_same(world: World, as_consumer: asyncpg.Connection) -> None:
    made = await as_consumer.fetchval("select inbox_rotate_seen($1)", DAYS_KEPT)
    again = await as_consumer.fetchval("select inbox_rotate_seen($1)", DAYS_KEPT)

    assert made == await world.daily_pieces_of_seen() == DAYS_KEPT + 8
    assert again == 0


async def test_nobody_else_may_turn_the_days(world: World) -> None:
    public = await world.connection.fetchval(
        "select count(*) from aclexplode((select proacl from pg_proc where proname = 'inbox_rotate_seen')) "
        "where grantee = 0"
    )

    assert public == 0


async def test_days_past_the_retention_go_and_what_was_seen_since_stays(world: World) -> None:
    now = await now_of(world)
    await turn(world, days_kept=30)
    await seen(world, now - timedelta(days=20))
    await seen(world, now - timedelta(days=1))
    await seen(world, now - timedelta(days=400))

    await turn(world, days_kept=DAYS_KEPT)

    kept = [row["seen_at"] for row in await world.connection.fetch("select seen_at from inbox_seen")]
    assert kept == [now - timedelta(days=1)]


async def test_an_event_that_was_old_when_it_came_is_remembered_as_long_as_any_other(world: World) -> None:
    now = await now_of(world)
    await turn(world, days_kept=30)
    for days in (20, 400):
        await came_late(world, now - timedelta(days=days), recorded=now - timedelta(days=1))
        await came_late(world, now - timedelta(days=days), recorded=now - timedelta(days=4))

    await turn(world, days_kept=DAYS_KEPT)

    kept = await world.connection.fetch("select seen_at, recorded_at from inbox_seen order by seen_at")
    assert [(now - row["seen_at"]).days for row in kept] == [400, 20]
    assert {(now - row["recorded_at"]).days for row in kept} == {1}


async def test_a_day_the_default_partition_holds_stays_there(world: World) -> None:
    now = await now_of(world)
    await seen(world, now)

    await turn(world, days_kept=DAYS_KEPT)
    await seen(world, now + timedelta(seconds=0.001))

    assert await world.daily_pieces_of_seen() == DAYS_KEPT + 7
    assert await world.connection.fetchval("select count(*) from inbox_seen") == 2


async def test_an_id_is_seen_once_whichever_day_it_belongs_to(world: World) -> None:
    moment = await now_of(world) - timedelta(days=1)
    await turn(world, days_kept=DAYS_KEPT)
    await seen(world, moment)

    with pytest.raises(asyncpg.UniqueViolationError):
        await world.connection.execute(
            "insert into inbox_seen (consumer, topic, event_id, seen_at) "
            "select consumer, topic, event_id, seen_at from inbox_seen"
        )


async def turn(world: World, *, days_kept: int) -> None:
    await world.connection.execute("select inbox_rotate_seen($1)", days_kept)


async def seen(world: World, moment: datetime) -> None:
    """Record an id of this moment, as it came then."""
    await world.connection.execute(
        "insert into inbox_seen (consumer, topic, event_id, seen_at, recorded_at) "
        "values ('c', 't', gen_random_uuid(), $1, $1)",
        moment,
    )


async def now_of(world: World) -> datetime:
    now: datetime = await world.connection.fetchval("select clock_timestamp()")
    return now


async def came_late(world: World, moment: datetime, *, recorded: datetime) -> None:
    await world.connection.execute(
        "insert into inbox_seen values ('c', 't', gen_random_uuid(), $1, $2)", moment, recorded
    )
