"""Records that come again: what a change of hands explains is counted, what nothing explains is found (I-13)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from verification.repeats import Cause
from verification.report import Kind

if TYPE_CHECKING:
    from tests.integration.verification.world import World

LIFE = ("new", "awaiting payment", "paid")


async def test_a_run_with_one_owner_and_no_failure_repeats_nothing(world: World) -> None:
    await world.whole(*LIFE)

    report = await world.check()

    assert report.findings == []
    assert report.repeats == {}


async def test_what_one_owner_and_one_producer_send_twice_is_found(world: World) -> None:
    *_, last = await world.whole(*LIFE)
    await world.publish(last)

    report = await world.check()

    assert [(finding.kind, finding.invariant, finding.version) for finding in report.findings] == [
        (Kind.REPEATED, "I-13", 3)
    ]
    assert "epoch 1, producer" in report.findings[0].text
    assert not report.ok


async def test_what_one_owner_sends_anew_after_a_failed_publish_is_counted(world: World) -> None:
    *_, last = await world.whole(*LIFE)
    await world.renew_producer()
    await world.publish(last)

    report = await world.check()

    assert report.ok
    assert report.repeats == {Cause.PRODUCER: 1}


async def test_what_a_new_owner_sends_anew_from_the_stored_cursor_is_counted(world: World) -> None:
    changes = await world.whole(*LIFE)
    await world.take_over()
    for change in changes[1:]:
        await world.publish(change, after=timedelta(seconds=5))

    report = await world.check()

    assert report.ok
    assert report.tallies.repeats == 2
    assert report.repeats == {Cause.SUCCESSOR: 2}


async def test_what_a_new_owner_sends_anew_from_long_before_is_found(world: World) -> None:
    first, second = await world.commit("new", "awaiting payment")
    await world.publish(first)
    await world.publish(second, after=timedelta(minutes=2))
    await world.take_over()
    for change in (first, second):
        await world.publish(change, after=timedelta(minutes=3))
        await world.apply(change)
        await world.send(change)

    report = await world.check()

    assert [(finding.kind, finding.version) for finding in report.findings] == [(Kind.REPEATED, 1)]
    assert "epoch 1 went on for 120 s after it" in report.findings[0].text
    assert report.repeats == {Cause.SUCCESSOR: 1, Cause.NONE: 1}


async def test_what_a_frozen_owner_ends_after_it_woke_up_is_counted(world: World) -> None:
    changes = await world.commit(*LIFE)
    await world.take_over()
    await world.carry(*changes)
    for change in changes:
        await world.publish(change, epoch=1, after=timedelta(minutes=2))

    report = await world.check()

    assert report.ok
    assert report.repeats == {Cause.FORMER: 3}


async def test_two_owners_that_work_side_by_side_are_found(world: World) -> None:
    changes = await world.commit(*LIFE)
    await world.take_over()
    await world.carry(*changes)
    for minutes, change in enumerate(changes):
        await world.publish(change, epoch=1, after=timedelta(minutes=minutes))

    report = await world.check()

    assert [(finding.kind, finding.invariant) for finding in report.findings] == [(Kind.REPEATED, "I-13")]
    assert "epoch 1 and epoch 2 sent the same events side by side for 120 s" in report.findings[0].text


async def test_what_comes_again_after_an_operator_sent_rows_anew_is_not_judged(world: World) -> None:
    *_, last = await world.whole(*LIFE)
    await world.republished()
    await world.publish(last, after=timedelta(minutes=1))

    report = await world.check()

    assert report.ok
    assert report.repeats == {Cause.OPERATOR: 1}
