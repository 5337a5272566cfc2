"""The ids a watermark keeps: the database puts what a batch brings before what it has, and keeps sixteen."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from inbox.parking import lock_watermarks, read_tails, store_watermarks
from inbox.watermark import TAIL, Watermark
from tests.given import Database
from tests.integration.inbox.world import CONSUMER, World, world_of

TOPIC = "orders"
VERSION_MAX = 2**63 - 1


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with world_of(database.dsn, "nowhere:1") as made:
        yield made


def ids(first: int, last: int, *, history: int = 0) -> tuple[UUID, ...]:
    """The ids of the versions from first to last, newest first."""
    return tuple(UUID(int=(history << 64) + version) for version in range(last, first - 1, -1))


async def stored(world: World, *marks: Watermark) -> Watermark:
    """What is left after these were stored one after the other, each without having read the ids before it."""
    for mark in marks:
        await store_watermarks(world.connection, CONSUMER, TOPIC, {"42": mark})
    found = await lock_watermarks(world.connection, CONSUMER, TOPIC, ["42"])
    await read_tails(world.connection, CONSUMER, TOPIC, ["42"], found)
    return found["42"]


async def test_what_a_batch_brings_is_put_before_what_the_row_has(world: World) -> None:
    mark = await stored(world, Watermark(2, ids(1, 2)), Watermark(5, ids(3, 5)))

    assert mark == Watermark(5, ids(1, 5))


async def test_sixteen_are_kept(world: World) -> None:
    mark = await stored(world, Watermark(10, ids(1, 10)), Watermark(20, ids(11, 20)))

    assert mark == Watermark(20, ids(5, 20))


async def test_more_than_the_row_keeps_leaves_nothing_of_the_row(world: World) -> None:
    mark = await stored(world, Watermark(2, ids(1, 2)), Watermark(30, ids(15, 30)))

    assert mark == Watermark(30, ids(15, 30))


async def test_ids_that_were_read_are_not_doubled(world: World) -> None:
    mark = await stored(world, Watermark(3, ids(1, 3)), Watermark(5, ids(1, 5)))

    assert mark == Watermark(5, ids(1, 5))


async def test_parking_and_releasing_change_no_id(world: World) -> None:
    parked = await stored(world, Watermark(3, ids(1, 3)), Watermark(3, (), "poison"))
    released = await stored(world, Watermark(3, (), None))

    assert parked == Watermark(3, ids(1, 3), "poison")
    assert released == Watermark(3, ids(1, 3))


async def test_versions_that_were_given_up_leave_no_ids_behind_them(world: World) -> None:
    mark = await stored(world, Watermark(3, ids(1, 3)), Watermark(6, ids(5, 6)))

    assert mark == Watermark(6, ids(5, 6))


async def test_another_history_keeps_the_ids_from_before_it_began(world: World) -> None:
    mark = await stored(world, Watermark(6, ids(1, 6)), Watermark(5, ids(4, 5, history=1)))

    assert mark == Watermark(5, (*ids(4, 5, history=1), *ids(1, 3)))


async def test_another_history_from_far_back_keeps_no_older_id(world: World) -> None:
    mark = await stored(world, Watermark(VERSION_MAX, ids(1, TAIL)), Watermark(1, ids(1, 1, history=1)))

    assert mark == Watermark(1, ids(1, 1, history=1))
