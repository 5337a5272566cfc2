"""What the consumer plans: a batch of any size in a few statements, repeatable, in the caller's transaction."""

from typing import Any

import asyncpg

from services.notification.domain.change import Status
from services.notification.domain.notification import State
from services.notification.repository.planning import PostgresPlanning
from services.notification.service.notifications import Notifications
from tests.notification_fixtures import Town, a_change, paid, placed


async def test_every_change_has_one_row_in_version_order(town: Town) -> None:
    chat = await town.link()

    counts = await town.plan(*placed(42), paid(42))

    rows = await town.rows(42)
    assert counts == {State.PLANNED: 3}
    assert [(row["version"], row["state"], row["chat_id"]) for row in rows] == [
        (1, "planned", chat),
        (2, "planned", chat),
        (3, "planned", chat),
    ]
    assert [(row["audible"], row["alert_step"]) for row in rows] == [
        (False, "none"),
        (False, "none"),
        (True, "pending"),
    ]


async def test_a_change_nobody_is_linked_for_is_final_at_once(town: Town) -> None:
    counts = await town.plan(*placed(42))

    rows = await town.rows(42)
    assert counts == {State.NO_SUBSCRIBER: 2}
    assert all(row["finished_at"] is not None for row in rows)
    assert await town.eye.fetchval("select count(*) from order_cards") == 0


async def test_a_change_planned_twice_is_planned_once(town: Town) -> None:
    await town.link()
    changes = placed(42)
    await town.plan(*changes)

    counts = await town.plan(*changes)

    assert counts == {}
    assert len(await town.rows(42)) == 2


async def test_an_empty_batch_touches_nothing(town: Town) -> None:
    assert await town.plan() == {}


async def test_a_wanted_version_never_goes_back(town: Town) -> None:
    await town.link()
    await town.plan(*placed(42), paid(42))

    await town.plan(a_change(42, 4, Status.CANCELLED))
    await town.eye.execute("delete from notifications where version = 2")
    await town.plan(a_change(42, 2, Status.AWAITING_PAYMENT))

    assert (await town.card(42))["wanted_version"] == 4


async def test_a_batch_of_hundreds_takes_three_statements(town: Town) -> None:
    for user_id in range(1, 21):
        await town.link(user_id)
    changes = [change for order in range(1, 201) for change in placed(order, user_id=order % 20 + 1)]
    connection = await asyncpg.connect(town.database.app_dsn)
    seen: list[Any] = []
    connection.add_query_logger(seen.append)
    try:
        async with connection.transaction():
            counts = await Notifications().plan(changes, PostgresPlanning(connection))
    finally:
        await connection.close()

    statements = [each.query for each in seen if "unnest" in each.query]
    assert counts == {State.PLANNED: 400}
    assert len(statements) == 3


async def test_a_batch_that_is_rolled_back_leaves_nothing(town: Town) -> None:
    await town.link()
    connection = await asyncpg.connect(town.database.app_dsn)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await Notifications().plan(placed(42), PostgresPlanning(connection))
        await transaction.rollback()
    finally:
        await connection.close()

    assert await town.rows(42) == []
    assert await town.eye.fetchval("select count(*) from chat_lanes") == 0
