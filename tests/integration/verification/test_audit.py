"""With the audit trigger as a witness, each change is held against its row one to one, down to the transaction."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.audit_trigger import install_audit_trigger
from tests.integration.verification.world import SKU
from verification.case import Circumstances
from verification.incarnations import Incarnations
from verification.judging import Judging
from verification.reconcile import EVERYTHING
from verification.report import Findings, Kind, Report, Tallies, Tally
from verification.spool import Spool
from verification.tail import Tail
from verification.verdicts.repeats import REACH_DEFAULT
from verification.witnesses.ledger import Decisions
from verification.witnesses.orders_database import OrdersDatabase

if TYPE_CHECKING:
    from tests.integration.verification.conftest import Stage
    from tests.integration.verification.world import World
    from tests.loms_fixtures import Platform

LIFE = ("new", "awaiting payment", "paid")
OF_THE_OUTBOX = {Kind.OUTBOX_LACKS, Kind.OUTBOX_INVENTS, Kind.OUTBOX_APART, Kind.ILLEGAL_MOVE, Kind.OVERSOLD}


@pytest.fixture(scope="module", autouse=True)
def _audited(stage: Stage) -> None:
    asyncio.run(install_audit_trigger(stage.orders_dsn))


def found(report: Report) -> list[tuple[Kind, str, int | None]]:
    return [(finding.kind, finding.invariant, finding.version) for finding in report.findings]


async def test_a_platform_that_keeps_its_promises_passes_and_lacks_no_witness(world: World) -> None:
    await world.whole(*LIFE)
    await world.whole("new", "failed")

    report = await world.check()

    assert report.findings == []
    assert report.lacking == []
    assert report.tallies.outbox == Tally(rows=5, matched=5)


async def test_a_row_written_by_a_second_transaction_is_found_although_nothing_is_missing(world: World) -> None:
    [first] = await world.whole("new")
    second = await world.move(first.order_id, 2, "awaiting payment", apart=True)
    await world.carry(second)

    report = await world.check()

    assert found(report) == [(Kind.OUTBOX_APART, "I-08", 2)]
    assert not report.ok


async def test_a_change_without_a_row_is_missing_once(world: World) -> None:
    [first] = await world.whole("new")
    await world.change_order(type(first)(first.order_id, 2, "awaiting payment", uuid4(), first.at))

    report = await world.check()

    assert found(report) == [(Kind.OUTBOX_LACKS, "I-08", 2)]


async def test_a_change_undone_behind_everybodys_back_is_found(world: World) -> None:
    first, second = await world.whole("new", "awaiting payment")
    await world.change_order(type(second)(first.order_id, 1, "new", uuid4(), second.at))
    await world.change_order(second)

    report = await world.check()

    assert (Kind.ILLEGAL_MOVE, "I-07", 1) in found(report)


async def test_a_row_that_tells_of_another_status_is_found(world: World) -> None:
    [first] = await world.whole("new")
    change = type(first)(first.order_id, 2, "awaiting payment", uuid4(), first.at)
    async with world.one_transaction():
        await world.change_order(type(first)(first.order_id, 2, "failed", uuid4(), first.at))
        await world.write(change)
    await world.carry(change)

    report = await world.check()

    assert (Kind.OUTBOX_INVENTS, "I-08", 2) in found(report)


async def test_more_reserved_than_there_is_is_found_even_if_it_was_put_right(world: World) -> None:
    await world.overbook(SKU)
    await world.set_right(SKU)

    report = await world.check()

    assert found(report) == [(Kind.OVERSOLD, "I-05", None)]


async def test_rows_from_before_the_trigger_are_not_called_invented(world: World) -> None:
    async with world.audit_forgotten():
        await world.whole(*LIFE)
        await world.audit_begins_now()

        report = await world.check()

    assert report.findings == []


WRITTEN_APART = """
with theirs as (delete from outbox returning event_id, topic, key, version, type, occurred_at, headers, payload)
insert into outbox (event_id, topic, key, version, type, occurred_at, headers, payload) select * from theirs
"""


async def test_orders_and_their_rows_share_transactions(platform: Platform) -> None:
    await install_audit_trigger(platform.database.admin_dsn)
    order = await platform.place((SKU, 1))
    await platform.orders.pay(order)

    assert await counted(platform) == {}


async def test_a_platform_whose_rows_were_committed_apart_is_convicted(platform: Platform) -> None:
    await install_audit_trigger(platform.database.admin_dsn)
    order = await platform.place((SKU, 1))
    await platform.orders.pay(order)

    await platform.eye.execute(WRITTEN_APART)

    assert await counted(platform) == {Kind.OUTBOX_APART: 3}


async def counted(platform: Platform) -> dict[Kind, int]:
    """What the checker finds between the orders, their audit and the outbox of a database."""
    findings, tallies = Findings(), Tallies()
    database = OrdersDatabase(dsn=platform.database.admin_dsn, topic="loms.order-events")
    with Spool() as spool:
        async with database.snapshot() as snapshot:
            await snapshot.read_rows(EVERYTHING, spool, Tail(since=0), findings=findings, tallies=tallies)
            await snapshot.read_orders(EVERYTHING, spool)
            await snapshot.read_audit(EVERYTHING, spool, findings=findings)
            beside = circumstances(audited_since=await snapshot.audited_since())
        with Judging(beside, tallies=tallies, findings=findings) as judging:
            for stories in spool.stories():
                judging.judge(stories.values())
    assert tallies.outbox.rows == 3
    return {kind: count for kind, count in findings.counts.items() if kind in OF_THE_OUTBOX}


def circumstances(*, audited_since: float | None) -> Circumstances:
    return Circumstances(
        partitions=2,
        positions={},
        committed={},
        decisions=Decisions(),
        senders=Incarnations(),
        repeats_reach=REACH_DEFAULT,
        operator_moved=None,
        audited_since=audited_since,
        judged_since=0,
        telegram_asked=False,
    )
