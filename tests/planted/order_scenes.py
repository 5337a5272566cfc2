"""The smallest scene of LOMS that provokes each mistake; with the right parts the same scene is judged clean."""

import asyncio

from services.loms.domain.ids import Sku, UserId
from tests.chaos.judgement import Judgement, Kind
from tests.commit_cut import commit_cut
from tests.loms_fixtures import items, unit_of_work_over
from tests.planted.order_stand import OrderStand

ONE, OTHER = Sku(1148162), Sku(2618151)  # 300 pieces each, none reserved
BUYERS = 40
NO_DEADLOCK = "no deadlock"
"""No invariant of the data: a promise of the contract, which knows no answer for it."""


async def many_buyers_of_few_pieces(stand: OrderStand) -> Judgement:
    """Four times as many want a piece as there are pieces."""
    await stand.platform.eye.execute("update stocks set total = 10 where sku = $1", ONE)
    await asyncio.gather(*(stand.orders.create(UserId(user), items((ONE, 1))) for user in range(1, BUYERS + 1)))

    verdict = Judgement(orders=BUYERS)
    oversold = await stand.platform.eye.fetch("select reserved, total from audit.stocks where reserved > total")
    for row in oversold:
        verdict.found(Kind.DOUBLED, "I-05", f"{row['reserved']} pieces of {row['total']} were reserved")
    return verdict


async def buyers_of_the_same_two_skus(stand: OrderStand) -> Judgement:
    """Everybody wants the same two."""
    wanted = items((ONE, 1), (OTHER, 1))
    await asyncio.gather(
        *(stand.orders.create(UserId(user), wanted) for user in range(1, BUYERS + 1)), return_exceptions=True
    )

    verdict = Judgement(orders=BUYERS)
    if stand.work.conflicts:
        verdict.found(Kind.LOST, NO_DEADLOCK, f"{stand.work.conflicts} transactions waited for each other in a circle")
    return verdict


async def an_order_beyond_the_stock(stand: OrderStand) -> Judgement:
    """One piece more than there is."""
    await asyncio.gather(stand.orders.create(UserId(7), items((ONE, 301))), return_exceptions=True)

    verdict = Judgement(orders=1)
    rows = await stand.platform.eye.fetch("select type from outbox order by seq")
    told = [row["type"] for row in rows]
    if told != ["order.new", "order.failed"] or await stand.platform.count("orders") != 1:
        verdict.found(Kind.LOST, "I-02", f"a create that failed left {told}")
    return verdict


async def a_commit_whose_answer_is_lost(stand: OrderStand) -> Judgement:
    """The database has committed, and the service never learns."""
    platform = stand.platform
    async with commit_cut(platform.database.app_dsn) as (cut, dsn), platform.pool_of(dsn) as pool:
        orders = stand.service(unit_of_work=unit_of_work_over(pool, platform.wakes))
        cut.arm("after", "from place_order(")
        await asyncio.gather(orders.create(UserId(7), items((ONE, 1))), return_exceptions=True)

    verdict = Judgement(orders=1, uncertain=cut.cuts)
    if (placed := await platform.count("orders")) != 1:
        verdict.found(Kind.DOUBLED, "I-02", f"one create left {placed} orders")
    return verdict
