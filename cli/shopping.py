"""A stream of realistic orders: who buys what, how it ends, and the program that walks every errand to its end.

People fill a cart and check it out, one errand of a person after the other; who wants something sold out, which a cart
does not take, orders past it. The plan is pure and seeded, so a run can be repeated; the walk repeats unanswered calls,
so that it goes on while parts of the platform are killed under it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from time import monotonic, time
from typing import TYPE_CHECKING

from cli.cart_http import CartRefused
from cli.loms_http import Item, LomsRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cli.cart_http import CartHttp
    from cli.loms_http import LomsHttp

FIRST_CUSTOMER = 1001
SHELF = (139275865, 1625903, 773297411, 2958025, 1076963, 2618151, 3596599)
"""Skus a customer picks from: the two with deep stock come first and are picked most."""
SHELF_WEIGHTS = (60, 30, 2, 2, 2, 2, 2)
SOLD_OUT = 139819069
"""A sku whose whole stock is reserved: asking for it ends in ``failed``."""
ERRANDS_AT_ONCE_MAX = 64
FAILED_PRECONDITION = 9
"""The gRPC code of a create that stock cannot fill."""


class Ending(StrEnum):
    """How an errand is meant to end. ``UNPAID`` leaves the order awaiting payment."""

    PAID = "paid"
    CANCELLED = "cancelled"
    UNPAID = "awaiting payment"
    SOLD_OUT = "failed"


ENDINGS = (Ending.PAID, Ending.CANCELLED, Ending.UNPAID, Ending.SOLD_OUT)
ENDING_WEIGHTS = (70, 15, 5, 10)


@dataclass(frozen=True, slots=True)
class Errand:
    """One customer's intention."""

    user_id: int
    items: tuple[Item, ...]
    ending: Ending


@dataclass(frozen=True, slots=True)
class Shopped:
    """What came of an errand, and when its order was tapped.

    ``order_id`` is None if LOMS did not say which order it refused.
    """

    errand: Errand
    order_id: int | None
    tapped_at: datetime


def errands(*, count: int, customers: int, seed: int) -> list[Errand]:
    """Plan ``count`` errands of ``customers`` people, the same ones for the same seed."""
    chance = Random(seed)  # noqa: S311 - a demo's plan is no secret
    return [_errand(chance, customers) for _ in range(count)]


def customer_ids(customers: int) -> range:
    """The user ids of the demo's people."""
    return range(FIRST_CUSTOMER, FIRST_CUSTOMER + customers)


async def shop(
    loms: LomsHttp,
    plan: Sequence[Errand],
    *,
    per_second: float,
    walked: Callable[[Shopped], None],
    cart: CartHttp | None = None,
) -> list[Shopped]:
    """Start ``per_second`` errands a second, whatever the answers take, and return when all have ended.

    Without a ``cart`` everybody orders past it.
    """
    begin = monotonic()
    at_once = asyncio.Semaphore(ERRANDS_AT_ONCE_MAX)
    of_one_person: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def errand_in_turn(position: int, errand: Errand) -> Shopped:
        await asyncio.sleep(max(0.0, begin + position / per_second - monotonic()))
        async with of_one_person[errand.user_id], at_once:
            shopped = await _walk(loms, cart, errand)
        walked(shopped)
        return shopped

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(errand_in_turn(position, errand)) for position, errand in enumerate(plan)]
    return [task.result() for task in tasks]


def _errand(chance: Random, customers: int) -> Errand:
    ending = chance.choices(ENDINGS, ENDING_WEIGHTS)[0]
    skus = dict.fromkeys(chance.choices(SHELF, SHELF_WEIGHTS, k=chance.randint(1, 3)))
    items = [Item(sku=sku, count=chance.randint(1, 2)) for sku in skus]
    if ending is Ending.SOLD_OUT:
        items.append(Item(sku=SOLD_OUT, count=1))
    return Errand(user_id=chance.choice(customer_ids(customers)), items=tuple(items), ending=ending)


async def _walk(loms: LomsHttp, cart: CartHttp | None, errand: Errand) -> Shopped:
    filled = cart if cart is not None and await _is_filled(cart, errand) else None
    tapped_at = _now()
    order_id = await _place(loms, errand) if filled is None else await _check_out(filled, errand)
    await _end(loms, errand, order_id)
    return Shopped(errand=errand, order_id=order_id, tapped_at=tapped_at)


async def _is_filled(cart: CartHttp, errand: Errand) -> bool:
    """Put everything into the person's cart; if it does not take something, leave it empty and say so."""
    if errand.ending is Ending.SOLD_OUT:
        return False
    try:
        for item in errand.items:
            await cart.add(errand.user_id, item.sku, item.count)
    except CartRefused:
        await cart.clear(errand.user_id)
        return False
    return True


async def _check_out(cart: CartHttp, errand: Errand) -> int | None:
    try:
        return await cart.checkout(errand.user_id)
    except CartRefused:
        await cart.clear(errand.user_id)
        return None


def _now() -> datetime:
    return datetime.fromtimestamp(time(), UTC)


async def _end(loms: LomsHttp, errand: Errand, order_id: int | None) -> None:
    match errand.ending:
        case Ending.PAID if order_id is not None:
            await loms.pay(order_id)
        case Ending.CANCELLED if order_id is not None:
            await loms.cancel(order_id)
        case _:
            return


async def _place(loms: LomsHttp, errand: Errand) -> int | None:
    try:
        return await loms.create(user_id=errand.user_id, items=errand.items)
    except LomsRefused as refusal:
        if refusal.code != FAILED_PRECONDITION:
            raise
        order_id = refusal.facts.get("order_id")
        return int(order_id) if order_id else None
