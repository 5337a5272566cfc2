"""Pay, cancel and expiry of one order at once: one of them wins, and the others find it done or impossible."""

import asyncio
from collections import Counter

from services.loms.domain.errors import IllegalTransition
from services.loms.domain.ids import Sku
from services.loms.service.attempts import Answer
from tests.expirers import expirer
from tests.loms_fixtures import Platform

IN_STOCK = Sku(1148162)  # 300 pieces, none reserved


async def test_of_pay_cancel_and_expiry_at_once_exactly_one_wins(platform: Platform) -> None:
    ends: Counter[str] = Counter()
    async with expirer(platform) as one:
        for _ in range(100):
            order_id = await platform.place((IN_STOCK, 1))

            paid, cancelled, _ = await asyncio.gather(
                platform.orders.pay(order_id), platform.orders.cancel(order_id), one.turn(), return_exceptions=True
            )

            status = await platform.status(order_id)
            assert await platform.published(order_id) == ["new", "awaiting payment", status]
            assert paid == Answer(order_id) if status == "paid" else isinstance(paid, IllegalTransition)
            assert cancelled == Answer(order_id) if status == "cancelled" else isinstance(cancelled, IllegalTransition)
            ends[status] += 1
    assert ends.total() == 100
    assert set(ends) <= {"paid", "cancelled"}
    assert await platform.stock(IN_STOCK) == (300 - ends["paid"], 0)
