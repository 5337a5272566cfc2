"""A customer links an account, orders, reads and cancels, all on the phone, over the whole platform."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.bot_fixtures import Person
from tests.stand_in import Phones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.platform.conftest import Observed

CUSTOMER, CHAT, SKU = 8001, 88_001, 1625903


@pytest.fixture
def anna(observed: Observed) -> Iterator[Person]:
    telegram_url = observed.platform.stack.telegram_url
    assert telegram_url is not None
    with closing(Phones(telegram_url)) as phones:
        yield Person(phones, CHAT)


async def test_a_customer_links_orders_and_cancels_on_the_phone(observed: Observed, anna: Person) -> None:
    stack = observed.platform.stack
    await anna.speaks("ru")
    invited = json.loads(observed.platform.onelane("notify", "link", str(CUSTOMER), "--output", "json"))

    offer = await anna.says(f"/start {invited['url'].partition('start=')[2]}")
    await anna.taps("✅ Да, рассказывать")
    await anna.sees_begin("✅ Готово: этот чат узнаёт о заказах аккаунта •••01.")
    order_id = await ordered(stack.loms_http_url)
    await anna.sees_begin(f"🧾 Заказ {order_id} · 2 товара\n✅ Оформлен ")
    await anna.taps("Отменить заказ")
    said = await anna.taps("Да, отменить")
    await anna.sees(f"🚫 Заказ {order_id} отменён.")

    assert invited["url"].startswith("https://t.me/onelane_bot?start=")
    assert offer == "Рассказывать в этом чате о заказах аккаунта •••01?"
    assert said == f"Отменяем заказ {order_id}."
    assert await status(stack.loms_http_url, order_id) == "cancelled"
    assert (await anna.says(f"/order {order_id}")).split("\n")[2].startswith("🚫 Отменён, ")


async def test_a_wish_to_resend_is_only_shown_until_it_is_executed(observed: Observed) -> None:
    assert observed.platform.onelane("notify", "resend").strip() == "none"
    assert json.loads(observed.platform.onelane("notify", "resend", "--output", "json")) == []


async def ordered(loms: str) -> int:
    """Place an order of two pieces; its number."""
    async with httpx.AsyncClient(base_url=loms, trust_env=False) as customer:
        body = {"userId": CUSTOMER, "items": [{"sku": SKU, "count": 2}]}
        answer = await customer.post("/order/create", json=body)
    assert answer.status_code == httpx.codes.OK, answer.text
    return int(answer.json()["orderId"])


async def status(loms: str, order_id: int) -> str:
    """Where the owner of orders says it stands."""
    async with httpx.AsyncClient(base_url=loms, trust_env=False) as customer:
        answer = await customer.get("/order/info", params={"orderId": order_id})
    return str(answer.json()["status"])
