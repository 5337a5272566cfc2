"""Every write path of LOMS with its commit lost, over and over: never two orders, never a lost acknowledged one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from services.loms.domain.ids import OrderId, Sku, UserId
from services.loms.service.attempts import Answer, Attempt
from services.loms.service.orders import OrderService
from services.loms.service.ports import OutcomeUnknown
from services.loms.service.repeat import ATTEMPTS_MAX
from tests.commit_cut import CommitCut, Where, commit_cut
from tests.loms_fixtures import Platform, items, unit_of_work_over

SKU = Sku(1625903)  # 10,000 pieces, none reserved
USER = UserId(7)
PIECES = 2

Call: TypeAlias = Callable[[OrderService, OrderId | None, Attempt | None], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Path:
    """One write path: the statement that is its commit, and how it is called."""

    name: str
    commit: str
    needs_order: bool
    call: Call


async def _create(orders: OrderService, _: OrderId | None, attempt: Attempt | None) -> Answer:
    return await orders.create(USER, items((SKU, PIECES)), attempt)


async def _pay(orders: OrderService, order_id: OrderId | None, attempt: Attempt | None) -> Answer:
    assert order_id is not None
    return await orders.pay(order_id, attempt)


async def _cancel(orders: OrderService, order_id: OrderId | None, attempt: Attempt | None) -> Answer:
    assert order_id is not None
    return await orders.cancel(order_id, attempt)


CREATE = Path("create", "from place_order(", needs_order=False, call=_create)
PAY = Path("pay", "update orders set status", needs_order=True, call=_pay)
CANCEL = Path("cancel", "update orders set status", needs_order=True, call=_cancel)
PATHS = (CREATE, PAY, CANCEL)


@dataclass(slots=True)
class Tally:
    """What the rounds led to: how many commits were lost, what the client knows, how often it was told nothing."""

    cuts: int = 0
    known: dict[OrderId, str] = field(default_factory=dict)
    left_unknown: int = 0


@asynccontextmanager
async def orders_through_a_cut(platform: Platform) -> AsyncIterator[tuple[OrderService, CommitCut]]:
    """The use cases with a proxy that loses commits between them and the database."""
    async with commit_cut(platform.database.app_dsn) as (cut, dsn), platform.pool_of(dsn) as pool:
        yield OrderService(unit_of_work=unit_of_work_over(pool, platform.wakes)), cut


async def play(platform: Platform, path: Path, where: Where, *, rounds: int) -> Tally:
    """Lose the commit of a path that often: once, so that the service finds out by itself, or every time it tries.

    Then the client is told nothing, and repeats its attempt itself, as the contract lets it.
    """
    tally = Tally()
    async with orders_through_a_cut(platform) as (orders, cut):
        for number in range(rounds):
            attempt = _attempt(path, number)
            order_id = await platform.place((SKU, PIECES)) if path.needs_order else None
            owned = attempt if attempt is None or order_id is None else Attempt("order", order_id, attempt.key, b"body")
            cut.arm(where, path.commit, times=ATTEMPTS_MAX if _loses_all(number) else 1)
            await _settled(tally, orders, path, order_id, owned)
            cut.disarm()
        tally.cuts = cut.cuts
    return tally


def _loses_all(number: int) -> bool:
    return number % 4 == 0


def _attempt(path: Path, number: int) -> Attempt | None:
    """Every other call carries a key; a create without one whose client learns nothing cannot be repeated."""
    return Attempt("user", USER, f"{path.name} {number}", b"body") if number % 2 == 0 else None


async def _settled(
    tally: Tally, orders: OrderService, path: Path, order_id: OrderId | None, attempt: Attempt | None
) -> None:
    try:
        answer = await path.call(orders, order_id, attempt)
    except OutcomeUnknown:
        tally.left_unknown += 1
        answer = await path.call(orders, order_id, attempt)
    tally.known[answer.order_id] = path.name


FINAL: Mapping[str, tuple[str, ...]] = {
    "create": ("new", "awaiting payment"),
    "pay": ("new", "awaiting payment", "paid"),
    "cancel": ("new", "awaiting payment", "cancelled"),
}


async def wrongs(platform: Platform, tally: Tally, *, calls: int) -> list[str]:
    """What does not fit: an order too many or too few, one that is not where it was said to be, stock that lies."""
    found = []
    if (orders := await platform.count("orders")) != calls or len(tally.known) != calls:
        found.append(f"{calls} calls were answered for {len(tally.known)} orders, and there are {orders}")
    stories = await asyncio.gather(*(_story(platform, order_id) for order_id in tally.known))
    for (order_id, path), story in zip(tally.known.items(), stories, strict=True):
        if story != FINAL[path]:
            found.append(f"order {order_id} was answered by {path} and published {story}")
    return found + await _stock_wrongs(platform, tally)


async def _story(platform: Platform, order_id: OrderId) -> tuple[str, ...]:
    async with platform.pool.acquire() as connection:
        rows = await connection.fetch("select type from outbox where key = $1 order by seq", str(order_id))
    return tuple(row["type"].removeprefix("order.").replace("_", " ") for row in rows)


async def _stock_wrongs(platform: Platform, tally: Tally) -> list[str]:
    ends = list(tally.known.values())
    expected = (10_000 - PIECES * ends.count("pay"), PIECES * ends.count("create"))
    stock = await platform.stock(SKU)
    return [] if stock == expected else [f"stock is {stock}, the answers say {expected}"]
