"""Orders that stay unpaid too long, over a real database and by its clock."""

import asyncio
import os
from collections import Counter
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.loms.domain.errors import IllegalTransition
from services.loms.domain.ids import OrderId
from services.loms.repository.statements import statement
from tests.captured_logs import captured_logs
from tests.expirers import expirer, running_expirer
from tests.loms_fixtures import Platform
from tests.proofs import is_proof
from tests.waiting import eventually

PLENTY = 1625903  # 10,000 pieces, none reserved
IN_STOCK = 1148162  # 300 pieces, none reserved
ALSO_IN_STOCK = 2618151  # 300 pieces, none reserved
SEVERAL = [1148162, 2618151, 2958025, 3596599, 3618852, 4288068, 4465995, 30816475]  # likewise
LIFE = ["new", "awaiting payment", "cancelled"]

LATENESS = """
select extract(epoch from cancelled.occurred_at - awaiting.occurred_at)::float8 as seconds
from outbox as awaiting join outbox as cancelled on cancelled.key = awaiting.key and cancelled.version = 3
where awaiting.version = 2 and cancelled.type = 'order.cancelled'
"""


async def test_an_order_unpaid_for_too_long_is_cancelled_and_its_stock_returned(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 3), (ALSO_IN_STOCK, 2))
    woken = platform.wakes.count

    async with expirer(platform) as loop:
        await loop.turn()

    assert await platform.status(order_id) == "cancelled"
    assert await platform.stock(IN_STOCK) == (300, 0)
    assert await platform.stock(ALSO_IN_STOCK) == (300, 0)
    assert await platform.published(order_id) == LIFE
    assert await platform.versions(order_id) == [1, 2, 3]
    assert platform.wakes.count == woken + 1


async def test_no_order_is_cancelled_before_its_time(platform: Platform) -> None:
    order_id = await platform.place((IN_STOCK, 1))

    async with expirer(platform, timedelta(hours=1)) as loop:
        await loop.turn()

    assert await platform.status(order_id) == "awaiting payment"


async def test_only_what_awaits_payment_expires(platform: Platform) -> None:
    paid = await platform.place((IN_STOCK, 1))
    await platform.orders.pay(paid)
    failed = await platform.place((IN_STOCK, 301))
    cancelled = await platform.place((IN_STOCK, 1))
    await platform.orders.cancel(cancelled)

    async with expirer(platform) as loop:
        await loop.turn()

    assert await platform.published(paid) == ["new", "awaiting payment", "paid"]
    assert await platform.published(failed) == ["new", "failed"]
    assert await platform.published(cancelled) == LIFE


async def test_two_replicas_cancel_five_hundred_orders_once_each_and_in_time(platform: Platform) -> None:
    unpaid = timedelta(seconds=5)

    async with running_expirer(platform, unpaid), running_expirer(platform, unpaid):
        placed = await asyncio.gather(*(_placed_one_by_one(platform, 250) for _ in range(2)))
        await eventually(lambda: _all_cancelled(platform), within=30, every=0.2)

    late = [row["seconds"] for row in await platform.eye.fetch(LATENESS)]
    print(f"{len(late)} orders were cancelled {min(late) - 5:.3f} to {max(late) - 5:.3f} s after their time")
    orders = [order for each in placed for order in each]
    assert len(late) == len(orders) == 500
    assert min(late) >= 5
    assert max(late) < 5 + 2 * _times_too_busy()
    assert {tuple(await platform.versions(order)) for order in orders} == {(1, 2, 3)}
    assert [await platform.stock(sku) for sku in SEVERAL] == [(300, 0)] * 8


@pytest.mark.parametrize("rival", ["pay", "cancel"])
async def test_of_expiry_and_a_customer_at_once_exactly_one_wins(platform: Platform, rival: str) -> None:
    ends: Counter[str] = Counter()
    async with expirer(platform) as one, expirer(platform) as other:
        for _ in range(100):
            order_id = await platform.place((IN_STOCK, 1))

            calls = (getattr(platform.orders, rival)(order_id), one.turn(), other.turn())
            outcomes = await asyncio.gather(*calls, return_exceptions=True)

            asked, status = outcomes[0], await platform.status(order_id)
            assert outcomes[1:] == [False, False]
            assert await platform.published(order_id) == ["new", "awaiting payment", status]
            assert isinstance(asked, IllegalTransition) == (rival == "pay" and status == "cancelled")
            ends[status] += 1
    assert set(ends) <= {"paid", "cancelled"}
    assert await platform.stock(IN_STOCK) == (300 - ends["paid"], 0)


async def test_an_order_that_cannot_be_cancelled_keeps_no_other_from_it(platform: Platform) -> None:
    poisoned = await platform.place((IN_STOCK, 1), (ALSO_IN_STOCK, 1))
    good = [await platform.place((PLENTY, 1)) for _ in range(20)]
    row = await platform.eye.fetchrow("delete from stocks where sku = $1 returning *", ALSO_IN_STOCK)
    failures = _sample("loms_expiry_failures_total", stage="order")

    async with running_expirer(platform):
        await eventually(lambda: _are(platform, good, "cancelled"))
        status_meanwhile = await platform.status(poisoned)
        late = [await platform.place((PLENTY, 1)) for _ in range(5)]
        await eventually(lambda: _are(platform, late, "cancelled"))
        beyond = _sample("loms_oldest_overdue_seconds")
        assert row is not None
        await platform.eye.execute("insert into stocks values ($1, $2, $3)", *row)
        await eventually(lambda: _are(platform, [poisoned], "cancelled"))

    assert status_meanwhile == "awaiting payment"
    assert _sample("loms_expiry_failures_total", stage="order") > failures
    assert beyond > 0
    assert await platform.published(poisoned) == LIFE
    assert await platform.stock(IN_STOCK) == (300, 0)


async def test_more_poisoned_orders_than_a_turn_bears_still_keep_no_other_from_it(platform: Platform) -> None:
    poisoned = [await platform.place((ALSO_IN_STOCK, 1)) for _ in range(100)]
    await platform.eye.execute("delete from stocks where sku = $1", ALSO_IN_STOCK)
    good = await platform.place((PLENTY, 1))

    with captured_logs() as logs:
        async with expirer(platform) as loop:
            while await platform.status(good) != "cancelled":
                await loop.turn()

    failed = logs.of("expirer.order_failed")
    assert {line["order_id"] for line in failed} <= set(poisoned)
    assert {line["error"] for line in failed} == {"StockRowsMissing"}


async def test_a_database_that_goes_away_and_returns_ends_no_loop(platform: Platform) -> None:
    before = await platform.place((PLENTY, 1))
    failures = _sample("loms_expiry_failures_total", stage="look")

    async with running_expirer(platform):
        await eventually(lambda: _are(platform, [before], "cancelled"))
        await platform.eye.execute("alter table orders rename to orders_elsewhere")
        await eventually(lambda: _sample("loms_expiry_failures_total", stage="look") > failures)
        await platform.eye.execute("alter table orders_elsewhere rename to orders")
        after = await platform.place((PLENTY, 1))
        await eventually(lambda: _are(platform, [after], "cancelled"))


async def test_what_another_replica_has_claimed_is_passed_by(platform: Platform) -> None:
    claimed, free = [await platform.place((PLENTY, 1)) for _ in range(2)]

    async with expirer(platform) as loop, platform.unit_of_work() as elsewhere:
        await elsewhere.orders.lock(claimed)
        await loop.turn()
        statuses = [await platform.status(order) for order in (claimed, free)]

    assert statuses == ["awaiting payment", "cancelled"]


async def test_a_look_reads_what_awaits_payment_and_not_the_whole_table(platform: Platform) -> None:
    await platform.eye.execute(
        "insert into orders (user_id, status, version, created_at, changed_at) "
        "select 7, 'paid', 3, now(), now() from generate_series(1, 20_000)"
    )
    await platform.place((PLENTY, 1))
    await platform.eye.execute("vacuum analyze orders")

    await platform.eye.execute(f"prepare look (interval, bigint, bigint[]) as {statement('find_overdue_orders')}")
    plan = await platform.eye.fetchval("explain (format json) execute look ('10 minutes', 64, '{}')")

    assert "orders_awaiting_payment" in plan
    assert "Seq Scan" not in plan


def _times_too_busy() -> float:
    """How many times longer things take here than on a machine left alone: those who wait for each of its cores.

    A proof has its machine for itself.
    """
    return 1.0 if is_proof() else max(os.getloadavg()[0] / (os.cpu_count() or 1), 1.0)


async def _placed_one_by_one(platform: Platform, count: int) -> list[OrderId]:
    return [await platform.place((SEVERAL[number % len(SEVERAL)], 2)) for number in range(count)]


async def _all_cancelled(platform: Platform) -> bool:
    return bool(await platform.eye.fetchval("select count(*) = 500 from orders where status = 'cancelled'"))


async def _are(platform: Platform, orders: list[OrderId], status: str) -> bool:
    return {await platform.status(order) for order in orders} == {status}


def _sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0
