"""One order's whole story: while everything is kept, and when only what stays for ever is left."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from verification.timeline import Retention, Step, read_timeline

if TYPE_CHECKING:
    from tests.integration.verification.world import Change, World

RETENTION = Retention(rows=timedelta(days=3), records=timedelta(days=30))
ALL_PLACES = ("loms", "kafka", "inbox", "telegram")
ROW_GONE = "transaction and row no longer kept (retention 3 days)"
RECORD_GONE = "record no longer kept (retention 30 days)"


async def test_every_place_a_change_passed_is_told_while_it_is_kept(world: World) -> None:
    changes = await world.whole("new", "awaiting payment", "paid")

    steps = await timeline(world, changes)

    assert places(steps) == [(version, where) for version in (1, 2, 3) for where in ALL_PLACES]
    of_paid = {step.where: step for step in steps if step.version == 3}
    assert of_paid["loms"].what.startswith("order.paid · seq ")
    assert " · xid " in of_paid["loms"].what
    assert of_paid["loms"].at == changes[2].at
    assert of_paid["kafka"].what.startswith("partition ")
    assert of_paid["inbox"].what == "applied · paid"
    assert of_paid["telegram"].what == "delivered"


async def test_a_row_that_outlived_its_retention_is_told_as_gone_and_its_record_still_shown(world: World) -> None:
    changes = await world.commit("new", "awaiting payment", ago=timedelta(days=5))
    await world.carry(*changes)
    await forget_rows(world, changes)

    steps = await timeline(world, changes)

    assert places(steps) == [(version, where) for version in (1, 2) for where in ALL_PLACES]
    assert {step.what for step in steps if step.where == "loms"} == {ROW_GONE}
    assert [step.at for step in steps if step.where == "loms"] == [change.at for change in changes]
    assert all(step.what.startswith("partition ") for step in steps if step.where == "kafka")


async def test_when_row_and_record_are_gone_the_ledger_still_tells_what_the_customer_heard(world: World) -> None:
    changes = await world.commit("new", "failed", ago=timedelta(days=40))
    for change in changes:
        await world.apply(change)
    await forget_rows(world, changes)

    steps = await timeline(world, changes)

    assert [(step.version, step.what) for step in steps] == [
        (1, ROW_GONE),
        (1, RECORD_GONE),
        (1, "applied · new"),
        (1, "delivered"),
        (2, ROW_GONE),
        (2, RECORD_GONE),
        (2, "applied · failed"),
        (2, "delivered"),
    ]
    assert [step.at for step in steps if step.where == "kafka"] == [None, None]


async def test_an_order_of_which_nothing_but_itself_is_left_is_told_as_gone(world: World) -> None:
    changes = await world.commit("new", "awaiting payment", "cancelled", ago=timedelta(days=40))
    await forget_rows(world, changes)

    steps = await timeline(world, changes)

    assert [step.what for step in steps] == [ROW_GONE, RECORD_GONE] * 3


async def test_a_row_that_lacks_before_its_time_is_not_called_gone(world: World) -> None:
    changes = await world.commit("new")
    await forget_rows(world, changes)

    steps = await timeline(world, changes)

    assert [(step.where, step.what) for step in steps] == [("loms", "has no row · see onelane verify")]


async def test_a_change_on_its_way_has_not_been_anywhere_else(world: World) -> None:
    changes = await world.commit("new")

    assert places(await timeline(world, changes)) == [(1, "loms")]


async def test_nobody_knows_an_order_that_never_was(world: World) -> None:
    [change] = await world.commit("new")

    unknown = type(change)(change.order_id + 1_000_000, 1, "new", change.event_id, change.at)

    assert await timeline(world, [unknown]) == []


async def timeline(world: World, changes: list[Change]) -> list[Step]:
    return await read_timeline(
        changes[0].order_id,
        loms_dsn=world.places.orders_dsn,
        notification_dsn=world.places.notification_dsn,
        bootstrap_servers=world.places.bootstrap_servers,
        retention=RETENTION,
        topic=world.places.topic,
    )


async def forget_rows(world: World, changes: list[Change]) -> None:
    """As the outbox's housekeeping does after the retention."""
    await world._orders.execute("delete from outbox where key = $1", str(changes[0].order_id))


def places(steps: list[Step]) -> list[tuple[int, str]]:
    return [(step.version, step.where) for step in steps]
