"""The checker passes a clean platform and finds each planted fault, and says which order, which rule, what to run."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.integration.verification.reports import LIFE, found
from tests.integration.verification.world import PARTITIONS
from verification.murmur2 import partition_of
from verification.report import Kind, Tally

if TYPE_CHECKING:
    from tests.integration.verification.world import Change, World


async def carried(world: "World", *changes: "Change") -> None:
    for change in changes:
        await world.apply(change)
        await world.send(change)


async def test_a_platform_that_keeps_its_promises_passes(world: "World") -> None:
    await world.whole(*LIFE)
    await world.whole("new", "failed")
    await world.chat("welcome!")

    report = await world.check()

    assert report.ok
    assert report.findings == []
    tallies = report.tallies
    assert tallies.outbox == tallies.kafka == tallies.notification == Tally(rows=5, matched=5)
    assert tallies.telegram == Tally(rows=5, matched=5)
    assert [line.split(":")[0] for line in report.lacking] == ["audit trigger"]


async def test_an_empty_window_passes(world: "World") -> None:
    report = await world.check()

    assert report.ok
    assert report.tallies.outbox.rows == 0


async def test_a_row_that_never_reached_kafka_is_lost(world: "World") -> None:
    first, second = await world.commit("new", "awaiting payment")
    await world.publish(first)
    await carried(world, first)

    report = await world.check()

    assert not report.ok
    assert found(report) == [(Kind.LOST, "I-10", 2), (Kind.NOT_APPLIED, "I-17", 2)]
    assert (report.tallies.kafka.missing, report.tallies.notification.missing) == (1, 1)
    assert str(second.event_id) in report.findings[0].text
    assert report.findings[0].next_command == "onelane outbox status"


async def test_a_record_without_a_row_is_a_phantom(world: "World") -> None:
    [change] = await world.whole("new")
    ghost = type(change)(change.order_id, 2, "awaiting payment", uuid4(), change.at)
    await world.publish(ghost)

    report = await world.check()

    assert found(report) == [(Kind.PHANTOM_RECORD, "I-09", 2)]
    assert report.tallies.kafka == Tally(rows=2, matched=1, extra=1)


@pytest.mark.parametrize("key", [b"not a number", b"9" * 23])
async def test_a_record_that_is_no_event_is_a_phantom(world: "World", key: bytes) -> None:
    await world.whole("new")
    await world.publish_poison(key, b"\x00garbage")

    report = await world.check()

    assert [(finding.kind, finding.order_id) for finding in report.findings] == [(Kind.PHANTOM_RECORD, None)]


async def test_a_record_with_other_bytes_is_altered(world: "World") -> None:
    [change] = await world.commit("new")
    await world.publish(change, body=b'{"order_id": 1, "status": "paid"}')
    await carried(world, change)

    report = await world.check()

    assert found(report) == [(Kind.ALTERED, "I-09", 1)]


async def test_a_record_in_another_partition_is_found(world: "World") -> None:
    [change] = await world.commit("new")
    home = partition_of(str(change.order_id).encode(), PARTITIONS)
    await world.publish(change, partition=1 - home)
    await carried(world, change)

    report = await world.check()

    assert found(report) == [(Kind.WRONG_PARTITION, "I-11", 1)]


async def test_records_in_another_order_than_committed_are_found(world: "World") -> None:
    changes = await world.commit(*LIFE)
    for change in (changes[0], changes[2], changes[1]):
        await world.publish(change)
    await carried(world, *changes)

    report = await world.check()

    assert found(report) == [(Kind.RECORDS_ORDER, "I-12", 2)]
    assert report.tallies.kafka.out_of_order == 1


async def test_a_withdrawn_event_needs_its_empty_record_and_no_effect(world: "World") -> None:
    first, second, third = await world.commit(*LIFE)
    await world.withdraw(second)
    await world.publish(first)
    await world.publish(second, body=None)
    await world.publish(third)
    await carried(world, first, third)

    report = await world.check()

    assert report.ok
    assert report.tallies.kafka.matched == 3
    assert report.tallies.notification.matched == 2


async def test_a_change_without_a_row_is_missing_from_the_outbox(world: "World") -> None:
    [first] = await world.whole("new")
    await world.change_order(type(first)(first.order_id, 2, "awaiting payment", uuid4(), first.at))

    report = await world.check()

    assert found(report) == [(Kind.OUTBOX_LACKS, "I-08", 2)]
    assert report.tallies.outbox.missing == 1


async def test_a_row_without_a_change_is_invented(world: "World") -> None:
    [first] = await world.whole("new")
    ghost = type(first)(first.order_id, 2, "awaiting payment", uuid4(), first.at)
    await world.write(ghost)
    await world.publish(ghost)
    await carried(world, ghost)

    report = await world.check()

    assert found(report) == [(Kind.OUTBOX_INVENTS, "I-08", 2)]


async def test_a_move_the_rules_do_not_allow_is_found(world: "World") -> None:
    await world.whole("new", "paid")

    report = await world.check()

    assert found(report) == [(Kind.ILLEGAL_MOVE, "I-07", 2)]


async def test_rows_written_against_the_order_of_their_versions_are_found(world: "World") -> None:
    [first] = await world.whole("new")
    third = type(first)(first.order_id, 3, "paid", uuid4(), first.at)
    second = type(first)(first.order_id, 2, "awaiting payment", uuid4(), first.at)
    await world.change_order(third)
    for change in (third, second):
        await world.write(change)
    for change in (second, third):
        await world.publish(change)
        await carried(world, change)

    report = await world.check()

    assert found(report) == [(Kind.OUTBOX_ORDER, "I-08", 3)]


async def test_a_record_the_consumer_has_not_come_to_is_not_applied(world: "World") -> None:
    [change] = await world.commit("new")
    await world.publish(change)

    report = await world.check()

    assert found(report) == [(Kind.NOT_APPLIED, "I-17", 1)]
    assert report.findings[0].next_command == "onelane inbox status"


async def test_a_record_the_consumer_is_past_was_skipped(world: "World") -> None:
    [change] = await world.commit("new")
    await world.publish(change)
    await world.pass_by(next_offset=1_000_000)

    report = await world.check()

    assert found(report) == [(Kind.SKIPPED, "I-16", 1)]


async def test_a_parked_event_is_nobodys_loss(world: "World") -> None:
    [change] = await world.commit("new")
    await world.publish(change)
    await world.pass_by(next_offset=1_000_000)
    await world.park(change)

    report = await world.check()

    assert report.ok
    assert found(report) == [(Kind.PARKED, "I-17", 1)]
    assert report.findings[0].next_command == "onelane inbox parked"


async def test_a_second_effect_of_one_event_is_found(world: "World") -> None:
    first, second = await world.whole("new", "awaiting payment")
    await world.apply(type(first)(first.order_id, 3, "awaiting payment", second.event_id, second.at), card="skipped")

    report = await world.check()

    assert found(report) == [(Kind.DOUBLED_EFFECT, "I-14", 3)]
    assert report.tallies.notification.extra == 1


async def test_an_effect_without_an_event_is_found(world: "World") -> None:
    [change] = await world.whole("new")
    await world.apply(type(change)(change.order_id + 1000, 1, "new", uuid4(), change.at), card="skipped")

    report = await world.check()

    assert found(report) == [(Kind.PHANTOM_EFFECT, "I-14", 1)]


async def test_effects_in_another_order_than_the_versions_are_found(world: "World") -> None:
    changes = await world.commit(*LIFE)
    for change in changes:
        await world.publish(change)
    for change in (changes[1], changes[0], changes[2]):
        await world.apply(change)
    for change in changes:
        await world.send(change)

    report = await world.check()

    assert found(report) == [(Kind.EFFECTS_ORDER, "I-15", 1)]


async def test_what_began_before_the_window_is_not_taken_for_invented(world: "World") -> None:
    first, second = await world.commit("new", "awaiting payment", ago=timedelta(hours=2))
    for change in (first, second):
        await world.publish(change)
        await world.apply(change)
        await world.send(change)
    third = await world.move(first.order_id, 3, "paid")
    await world.publish(third)
    await world.apply(third)
    await world.send(third)

    report = await world.check()

    assert report.findings == []
    assert report.tallies.kafka == Tally(rows=1, matched=1)


async def test_a_real_bot_is_a_missing_witness_and_said_so(world: "World") -> None:
    await world.whole("new")

    report = await world.check(telegram=False)

    assert report.ok
    assert report.tallies.telegram.rows == 0
    assert [line.split(":")[0] for line in report.lacking] == ["audit trigger", "telegram"]


@pytest.mark.parametrize("life", [LIFE, ("new", "failed")])
async def test_the_report_has_a_stable_form(world: "World", life: tuple[str, ...]) -> None:
    await world.whole(*life)

    answer = (await world.check()).as_json()

    assert set(answer) == {
        "ok",
        "since",
        "until",
        "seconds",
        "witnesses",
        "repeats",
        "repeats_by_cause",
        "unjudged",
        "counts",
        "lacking",
        "findings",
    }
    assert set(answer["witnesses"]) == {"outbox", "kafka", "notification", "telegram"}
    assert set(answer["witnesses"]["kafka"]) == {"rows", "matched", "missing", "extra", "out_of_order"}
