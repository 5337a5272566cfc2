"""What cannot be applied waits with its key; everything else flows."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest

from inbox import Event, Handler, Reject, TopicPolicy
from inbox.errors import TooManyParkedKeys
from inbox.policy import Limits
from tests.given import MakeTopic
from tests.integration.inbox.world import QUICK, Sent, World, an_event, leave_effects, log_of, records_of
from tests.waiting import eventually


async def refuse_poison(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
    """A handler that takes everything except bodies that say poison."""
    await leave_effects(connection, events)
    for event in events:
        if event.payload == b"poison":
            raise Reject(event, "unknown status")


async def stumble_over_poison(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
    """A handler with a bug that one body uncovers."""
    await leave_effects(connection, events)
    if any(event.payload == b"poison" for event in events):
        raise KeyError("status")


async def violate_a_constraint(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
    """A handler whose write the database refuses for one body."""
    await leave_effects(connection, events)
    if any(event.payload == b"poison" for event in events):
        await connection.execute("insert into inbox_audit (by, action) values ('x', 'no such action')")


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (refuse_poison, "unknown status"),
        (stumble_over_poison, "KeyError: 'status'"),
        (violate_a_constraint, "NotNullViolationError"),
    ],
)
async def test_poison_parks_its_key_and_no_other(handler: Handler, reason: str, world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(
            an_event("42", 1), an_event("42", 2, body=b"poison"), an_event("7", 1), an_event("42", 3), an_event("7", 2)
        )
    world.start(TopicPolicy(name), handler=handler)

    await world.reaches(name, 5)

    assert await world.applied("42") == [1]
    assert await world.applied("7") == [1, 2]
    (poison, reason_found), behind = await world.parked("42")
    assert poison == 2
    assert reason_found.startswith(reason)
    assert behind == (3, "behind a parked event")
    assert await world.why_parked("42") == "poison"


async def test_what_is_parked_keeps_its_bytes_its_headers_and_its_origin(world: World, topic: MakeTopic) -> None:
    name = await topic("orders", partitions=2)
    strange = an_event("42", 1, body=b"\x00\xff poison")
    strange.headers.append(("binary", b"\xff\x00"))
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("7", 1), strange, partition=1)

    async def refuse_all_of_42(_: asyncpg.Connection, events: Sequence[Event]) -> None:
        for event in events:
            if event.key == "42":
                raise Reject(event, "no")

    world.start(TopicPolicy(name), handler=refuse_all_of_42)
    await world.reaches(name, 2, partition=1)

    row = await world.connection.fetchrow('select partition, "offset", type, payload, headers from inbox_parked')
    assert row is not None
    assert (row["partition"], row["offset"], row["type"]) == (1, 1, "order.paid")
    assert row["payload"] == b"\x00\xff poison"
    assert world.headers(row["headers"]) == strange.headers


async def test_a_missing_version_waits_and_its_arrival_drains_what_waited(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 4), an_event("42", 3))
        world.start(TopicPolicy(name))
        await world.reaches(name, 3)
        assert await world.why_parked("42") == "gap"
        assert await world.applied("42") == [1]
        await log.append(an_event("42", 2))

        await world.reaches(name, 4)

    assert await world.applied("42") == [1, 2, 3, 4]
    assert await world.why_parked("42") is None
    assert await world.parked("42") == []


async def test_history_that_was_lost_and_written_anew_forks_its_key(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2), an_event("42", 2), an_event("42", 3))
    world.start(TopicPolicy(name))

    await world.reaches(name, 4)

    assert await world.applied("42") == [1, 2]
    assert await world.why_parked("42") == "fork"
    assert [version for version, _ in await world.parked("42")] == [2, 3]


async def test_an_adopting_topic_takes_a_key_up_in_the_middle(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 5), an_event("42", 6))
    world.start(TopicPolicy(name, first_version="adopt"))

    await world.reaches(name, 2)

    assert await world.applied("42") == [5, 6]


async def test_a_log_whose_start_was_deleted_is_adopted(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), an_event("42", 2), an_event("42", 3))
        await log.delete_before(2)
    world.start(TopicPolicy(name))

    await world.reaches(name, 3)

    assert await world.applied("42") == [3]


async def test_a_record_with_broken_headers_parks_its_key(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), Sent(b"42", b"{}", []), an_event("42", 2), an_event("7", 1))
    world.start(TopicPolicy(name))

    await world.reaches(name, 4)

    assert await world.applied("42") == [1]
    assert await world.applied("7") == [1]
    assert await world.parked("42") == [(2, "behind a parked event"), (None, "header ce_sequence is missing")]


async def test_a_record_without_a_usable_key_goes_to_the_dead_letters(world: World, topic: MakeTopic) -> None:
    name, dead = await topic("orders"), await topic("orders.dead")
    keyless = replace(an_event("", 1), key=b"\xff\xff", value=b"body")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), keyless, an_event("42", 2))
    world.start(TopicPolicy(name, dead_letters=dead))

    await world.reaches(name, 3)

    assert await world.applied("42") == [1, 2]
    (letter,) = await records_of(world.bootstrap, dead)
    assert (letter.key, letter.value) == (b"\xff\xff", b"body")
    assert list(letter.headers[: len(keyless.headers)]) == keyless.headers
    origin = dict(letter.headers[len(keyless.headers) :])
    assert origin["origin_topic"] == name.encode()
    assert (origin["origin_partition"], origin["origin_offset"]) == (b"0", b"1")
    assert origin["origin_reason"] == b"key is not UTF-8"


async def test_a_flood_of_parked_keys_stops_the_consumer_and_undoes_the_last_batch(
    world: World, topic: MakeTopic
) -> None:
    name = await topic("orders")
    async with log_of(world.bootstrap, name) as log:
        await log.append(*[an_event(str(n), 1, body=b"poison") for n in range(10)])
    runner = world.start(TopicPolicy(name), handler=refuse_poison, limits=_ceiling(2))

    with pytest.raises(TooManyParkedKeys, match="the last one because: "):
        await runner

    assert await world.connection.fetchval("select count(*) from inbox_parked") <= 2
    position = await world.position(name)
    assert position is not None
    assert position <= 2


async def test_a_repeat_of_a_parked_event_is_parked_once(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    poison = an_event("42", 1, body=b"poison")
    async with log_of(world.bootstrap, name) as log:
        await log.append(poison)
        world.start(TopicPolicy(name), handler=refuse_poison)
        await world.reaches(name, 1)
        await log.append(poison)

        await world.reaches(name, 2)

    assert await world.parked("42") == [(1, "unknown status")]


async def test_without_versions_a_refused_event_parks_its_key(world: World, topic: MakeTopic) -> None:
    name = await topic("users")
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", None, body=b"poison"), an_event("42", None), an_event("7", None))
    world.start(TopicPolicy(name, versioned=False), handler=refuse_poison)

    await world.reaches(name, 3)

    assert await world.applied() == [None]
    assert await eventually(lambda: world.parked("42")) == [(None, "unknown status"), (None, "behind a parked event")]


def _ceiling(keys: int) -> Limits:
    return replace(QUICK, parked_keys_max=keys, batch_events_max=1)
