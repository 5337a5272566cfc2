"""How the witnesses are read: young changes are waited for, old ones not misjudged, silence is not taken for health."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from stack.ports import free_port
from verification.facts import Accepted, Call
from verification.reconcile import EVERYTHING, reconcile
from verification.report import Kind, Tally
from verification.spool import Spool
from verification.witnesses.acceptance_log import AcceptanceLog
from verification.witnesses.away import WitnessAway

if TYPE_CHECKING:
    from tests.integration.verification.world import World

WAY_TO_CARRY = ("new", "awaiting payment", "paid")


async def test_a_young_change_is_waited_for(world: World) -> None:
    changes = await world.commit(*WAY_TO_CARRY)
    reading = asyncio.create_task(world.check(settle_seconds=20))

    for change in changes:
        await world.publish(change)
        await world.send(change)
        await world.apply(change)
    report = await reading

    assert report.findings == []
    assert report.tallies.telegram == Tally(rows=3, matched=3)


async def test_the_wait_for_a_lost_change_ends(world: World) -> None:
    await world.commit("new")

    report = await world.check(settle_seconds=0.5)

    assert Kind.LOST in report.counts


async def test_a_record_whose_row_went_with_its_partition_is_not_judged(world: World) -> None:
    await world.whole("new")
    async with world.forgotten_rows():
        await world.whole("new")

        report = await world.check()

    assert report.tallies.unjudged == 1
    assert Kind.PHANTOM_RECORD not in report.counts


async def test_a_row_that_belongs_to_no_order_is_found(world: World) -> None:
    await world.write_strange("not a number")

    report = await world.check()

    assert [(finding.kind, finding.order_id) for finding in report.findings] == [(Kind.OUTBOX_INVENTS, None)]


async def test_everything_kept_can_be_asked_for(world: World) -> None:
    [change] = await world.whole("new")

    report = await reconcile(world.places, since=EVERYTHING, settle_seconds=0)

    assert report.since == EVERYTHING
    assert all(finding.order_id != change.order_id for finding in report.findings)
    assert report.tallies.outbox.rows >= 1


async def test_the_acceptance_log_is_entered_in_its_middle(world: World) -> None:
    changes = [change for _ in range(6) for change in await world.commit(*WAY_TO_CARRY)]
    for change in changes[:10]:
        await world.send_card(change)
    middle = datetime.now(UTC)  # noqa: TID251  between two lines of the log
    for change in changes[10:]:
        await world.send_card(change)

    with Spool() as spool:
        await AcceptanceLog(url=str(world.places.telegram_url)).read(middle, spool)
        stories = [story for bucket in spool.stories() for story in bucket.values()]

    read = [(call.order_id, call.version) for story in stories for call in story.accepted]
    assert sorted(read) == sorted((change.order_id, change.version) for change in changes[10:])
    assert all(
        isinstance(call, Accepted) and call.call == Call.SEND_CARD for story in stories for call in story.accepted
    )


@pytest.mark.parametrize(
    ("witness", "gone"),
    [
        ("the database of orders", "orders_dsn"),
        ("the database of notifications", "notification_dsn"),
        ("Kafka", "bootstrap_servers"),
        ("the Telegram stand-in", "telegram_url"),
    ],
)
async def test_a_witness_that_does_not_answer_ends_the_check(world: World, witness: str, gone: str) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    addresses = {
        "orders_dsn": f"postgresql://verifier@{nobody}/loms",
        "notification_dsn": f"postgresql://verifier@{nobody}/notification",
        "bootstrap_servers": nobody,
        "telegram_url": f"http://{nobody}",
    }

    with pytest.raises(WitnessAway) as away:
        await reconcile(replace(world.places, **{gone: addresses[gone]}), since=timedelta(hours=1), settle_seconds=0)

    assert away.value.witness == witness


async def test_a_topic_that_does_not_exist_ends_the_check(world: World) -> None:
    with pytest.raises(WitnessAway, match="does not exist"):
        await reconcile(replace(world.places, topic="no-such-topic"), since=timedelta(hours=1), settle_seconds=0)
