"""The consumer never stands past a record it neither applied nor parked, now or at any time the window shows (I-16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verification.murmur2 import partition_of
from verification.report import Kind

if TYPE_CHECKING:
    from tests.integration.verification.world import Change, World

from tests.integration.verification.world import PARTITIONS


async def test_an_offset_committed_past_a_record_that_took_no_effect_is_found(world: World) -> None:
    [change] = await world.commit("new")
    await world.publish(change)
    await world.commit_offsets(next_offset=1_000_000)

    report = await world.check()

    assert [(finding.kind, finding.invariant) for finding in report.findings] == [(Kind.SKIPPED, "I-16")]
    assert "the group's offset is past its record" in report.findings[0].text


async def test_an_offset_committed_no_further_than_what_took_effect_is_right(world: World) -> None:
    await world.whole("new")
    await world.commit_offsets(next_offset=1_000_000)

    report = await world.check()

    assert report.findings == []


async def test_a_record_that_took_effect_after_a_later_one_of_its_partition_was_passed_over(world: World) -> None:
    early, late = await published_in_one_partition(world)
    for change in (late, early):
        await world.apply(change)
        await world.send(change)

    report = await world.check()

    assert [(finding.kind, finding.invariant, finding.order_id) for finding in report.findings] == [
        (Kind.PASSED_OVER, "I-16", early.order_id)
    ]
    assert not report.ok


async def test_what_an_operator_let_go_on_rightly_took_effect_late(world: World) -> None:
    early, late = await published_in_one_partition(world)
    for change in (late, early):
        await world.apply(change)
        await world.send(change)
    await world.released(early)

    report = await world.check()

    assert report.findings == []


async def test_where_an_operator_moved_the_consumer_the_order_of_effects_is_not_judged(world: World) -> None:
    early, late = await published_in_one_partition(world)
    for change in (late, early):
        await world.apply(change)
        await world.send(change)
    await world.moved(home(early))

    report = await world.check()

    assert report.findings == []


async def test_an_order_whose_own_records_came_out_of_order_waited_for_itself(world: World) -> None:
    first, second = await world.commit("new", "awaiting payment")
    other = await another_in(world, home(first))
    for change in (second, other, first):
        await world.publish(change)
    for change in (other, first, second):
        await world.apply(change)
        await world.send(change)

    report = await world.check()

    assert [finding.kind for finding in report.findings] == [Kind.RECORDS_ORDER]


async def published_in_one_partition(world: World) -> tuple[Change, Change]:
    """Two orders, the record of the first before that of the second."""
    [early] = await world.commit("new")
    late = await another_in(world, home(early))
    for change in (early, late):
        await world.publish(change)
    return early, late


async def another_in(world: World, partition: int) -> Change:
    """A new order whose key belongs to a partition; those on the way to it go all the way."""
    [change] = await world.commit("new")
    while home(change) != partition:
        await world.carry(change)
        [change] = await world.commit("new")
    return change


def home(change: Change) -> int:
    return partition_of(str(change.order_id).encode(), PARTITIONS)
