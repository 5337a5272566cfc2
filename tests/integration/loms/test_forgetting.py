"""Answers to idempotency keys are forgotten a day after, in small batches, by any number of replicas."""

import asyncio
from datetime import timedelta

from services.loms.domain.ids import Sku, UserId
from services.loms.service.attempts import Attempt
from services.loms.service.forgetting import KEPT, Forgetting
from tests.loms_fixtures import Platform, items
from tests.waiting import eventually

IN_STOCK = Sku(1148162)  # 300 pieces, none reserved
USER = UserId(7)


async def _answered(platform: Platform, *keys: str, hours_ago: float) -> None:
    for key in keys:
        await platform.orders.create(USER, items((IN_STOCK, 1)), Attempt("user", USER, key, b"body"))
        await platform.eye.execute(
            "update idempotency_keys set created_at = created_at - $2::interval where key = $1",
            key,
            timedelta(hours=hours_ago),
        )


async def _keys(platform: Platform) -> list[str]:
    return [row["key"] for row in await platform.eye.fetch("select key from idempotency_keys order by key")]


async def _forgotten(platform: Platform, *loops: Forgetting, left: list[str]) -> None:
    running = [asyncio.create_task(loop.run()) for loop in loops]

    async def done() -> bool:
        return await _keys(platform) == left

    await eventually(done)
    for loop in loops:
        loop.request_stop()
    await asyncio.gather(*running)


async def test_answers_are_kept_for_a_day_and_then_forgotten(platform: Platform) -> None:
    await _answered(platform, "old", hours_ago=24.1)
    await _answered(platform, "young", hours_ago=23.9)

    await _forgotten(platform, Forgetting(unit_of_work=platform.unit_of_work), left=["young"])

    assert timedelta(hours=24) == KEPT
    assert await platform.count("orders") == 2
    again = await platform.orders.create(USER, items((IN_STOCK, 1)), Attempt("user", USER, "old", b"body"))
    assert not again.replayed


async def test_many_are_forgotten_batch_by_batch_by_two_replicas_at_once(platform: Platform) -> None:
    await platform.place((IN_STOCK, 1))
    await platform.eye.execute(
        "insert into idempotency_keys (scope, owner_id, key, fingerprint, order_id, short_skus, created_at) "
        "select 'user', 7, number::text, '', 1, '{}', now() - interval '25 hours' from generate_series(1, 3000) number"
    )

    loops = [Forgetting(unit_of_work=platform.unit_of_work, batch_answers=100) for _ in range(2)]

    await _forgotten(platform, *loops, left=[])


async def test_a_failure_does_not_end_the_loop(platform: Platform) -> None:
    await _answered(platform, "old", hours_ago=25)
    await platform.eye.execute("alter table idempotency_keys rename to elsewhere")
    forgetting = Forgetting(unit_of_work=platform.unit_of_work, pause_seconds=0.01)
    running = asyncio.create_task(forgetting.run())

    async def failed() -> bool:
        aborted = await platform.eye.fetchval(
            "select xact_rollback > 0 from pg_stat_database where datname = current_database()"
        )
        return bool(aborted)

    await eventually(failed)
    await platform.eye.execute("alter table elsewhere rename to idempotency_keys")

    async def empty() -> bool:
        return await _keys(platform) == []

    await eventually(empty)
    forgetting.request_stop()
    await running


async def test_the_oldest_are_found_by_their_index(platform: Platform) -> None:
    await platform.eye.execute("set enable_seqscan = off")

    plan = await platform.eye.fetch(
        "explain select ctid from idempotency_keys where created_at < now() order by created_at limit 500"
    )

    assert any("idempotency_keys_by_age" in row[0] for row in plan)
