"""The client behind `onelane orders list`, against the real faces."""

import pytest

from cli.loms_http import Item, LomsHttp, LomsRefused
from cli.patient_http import CannotBeSent
from tests.loms_server import Served

pytestmark = pytest.mark.asyncio(loop_scope="session")

SKU = 1625903  # 10,000 pieces, none reserved: enough for every case
SOMEBODY = 700_001


async def test_the_client_walks_a_list_page_by_page(served: Served) -> None:
    async with LomsHttp(base_url=served.http_url) as loms:
        placed = [await loms.create(user_id=SOMEBODY, items=[Item(SKU, 2)]) for _ in range(3)]
        await loms.pay(placed[0])

        first = await loms.orders(user_id=SOMEBODY, page_size=2)
        second = await loms.orders(user_id=SOMEBODY, page_size=2, page_token=first.next_token)
        awaiting = await loms.orders(user_id=SOMEBODY, status="awaiting payment")

    assert [each.order.order_id for each in first.orders + second.orders] == placed[::-1]
    assert [each.order.order_id for each in awaiting.orders] == [placed[2], placed[1]]
    assert second.next_token == ""
    assert second.orders[0].order.status == "paid"
    assert second.orders[0].order.items == (Item(SKU, 2),)
    assert second.orders[0].created_at.tzinfo is not None


async def test_the_client_tells_what_is_wrong_with_a_question(served: Served) -> None:
    async with LomsHttp(base_url=served.http_url) as loms:
        with pytest.raises(LomsRefused, match="must be one of new, awaiting payment"):
            await loms.orders(status="lost")


async def test_a_key_of_any_letters_is_one_key(served: Served) -> None:
    async with LomsHttp(base_url=served.http_url) as loms:
        first = await loms.create(user_id=SOMEBODY, items=[Item(SKU, 1)], idempotency_key="ключ")
        again = await loms.create(user_id=SOMEBODY, items=[Item(SKU, 1)], idempotency_key="ключ")

    assert first == again


async def test_a_key_http_cannot_carry_is_told_at_once(served: Served) -> None:
    async with LomsHttp(base_url=served.http_url) as loms:
        with pytest.raises(CannotBeSent, match="the call of /order/create cannot be sent"):
            await loms.create(user_id=SOMEBODY, items=[Item(SKU, 1)], idempotency_key="one\ntwo")
