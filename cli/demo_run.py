"""One demonstration: link the customers, let them shop, follow the four counters until they agree."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from cli.arrivals import Arrivals
from cli.cart_http import CartHttp
from cli.loms_http import LomsHttp
from cli.shopping import customer_ids, errands, shop
from verification.counters import Flow
from verification.latency import acceptances, latencies_seconds, quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cli.running import Running
    from cli.shopping import Shopped
    from verification.counters import Counters
    from verification.latency import Shown

ORDER_EVENTS = "loms.order-events"
CHAT_OF_FIRST_CUSTOMER = 500_001
UNLINKED_CUSTOMERS = 2
"""The last customers have no Telegram: their changes end as ``no_subscriber``."""
LOOK_EVERY_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to demonstrate."""

    count: int
    customers: int
    per_second: float
    seed: int
    converge_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was seen. ``first_order_seconds`` runs from the tap to the first card on a phone.

    ``shown_order`` is an order whose owner has a phone, ``card`` the last thing its owner reads there.
    """

    counters: Counters
    shopped: list[Shopped]
    first_order_seconds: float
    shown_order: int | None
    card: str
    p50_seconds: float
    p99_seconds: float

    @property
    def closing_line(self) -> str:
        """The line scripts read."""
        seen = self.counters
        return (
            f"demo: committed {seen.committed} published {seen.published}"
            f" applied {seen.applied} notified {seen.notified}"
            f" · first order {self.first_order_seconds:.2f} s"
            f" · p50 {self.p50_seconds * 1000:.0f} ms p99 {self.p99_seconds * 1000:.0f} ms"
        )


async def demonstrate(stack: Running, plan: Plan) -> Outcome:
    """Run the plan against a running stack."""
    await link_customers(stack, plan.customers)
    flow = Flow(
        loms_dsn=stack.loms_reader_dsn,
        notification_dsn=stack.notification_reader_dsn,
        bootstrap_servers=stack.kafka_bootstrap,
        topic=ORDER_EVENTS,
    )
    await flow.start()
    try:
        with Arrivals(plan.count) as arrivals:
            shopped = await _shop(stack, plan, flow, arrivals)
            counters = await _converge(flow, arrivals, within=plan.converge_seconds)
        return await _outcome(stack, flow, shopped, counters)
    finally:
        await flow.stop()


async def link_customers(stack: Running, customers: int) -> None:
    """Link all of the demo's people but the last few to chats of their own."""
    from cli.notify import link_chats

    linked = customer_ids(customers)[:-UNLINKED_CUSTOMERS]
    await link_chats(stack, {user: CHAT_OF_FIRST_CUSTOMER + place for place, user in enumerate(linked)})


async def _shop(stack: Running, plan: Plan, flow: Flow, arrivals: Arrivals) -> list[Shopped]:
    stream = errands(count=plan.count, customers=plan.customers, seed=plan.seed)
    watching = asyncio.create_task(_watch(flow, arrivals))
    try:
        async with LomsHttp(base_url=stack.loms_http_url) as loms, CartHttp(base_url=stack.cart_http_url) as cart:
            return await shop(loms, stream, cart=cart, per_second=plan.per_second, walked=arrivals.walked)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(flow: Flow, arrivals: Arrivals) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        arrivals.seen(await flow.read())


async def _converge(flow: Flow, arrivals: Arrivals, *, within: float) -> Counters:
    give_up_at = monotonic() + within
    while True:
        counters = await flow.read()
        arrivals.seen(counters)
        if counters.equal or monotonic() > give_up_at:
            return counters
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _outcome(stack: Running, flow: Flow, shopped: list[Shopped], counters: Counters) -> Outcome:
    committed = await flow.committed()
    accepted = await acceptances(stack.telegram_url) if stack.telegram_url else {}
    seconds = latencies_seconds(committed, accepted)
    shown_order = next((each.order_id for each in shopped if _texts(each, accepted)), None)
    return Outcome(
        counters=counters,
        shopped=shopped,
        first_order_seconds=_first_order_seconds(shopped, accepted),
        shown_order=shown_order,
        card=next((_texts(each, accepted)[-1] for each in shopped if each.order_id == shown_order and shown_order), ""),
        p50_seconds=quantile(seconds, 0.50),
        p99_seconds=quantile(seconds, 0.99),
    )


def _texts(each: Shopped, accepted: Mapping[tuple[str, int], Shown]) -> list[str]:
    """The order's card in each version that was shown, ascending."""
    return [card.text for (order, _), card in sorted(accepted.items()) if order == str(each.order_id)]


def _first_order_seconds(shopped: Sequence[Shopped], accepted: Mapping[tuple[str, int], Shown]) -> float:
    shown: dict[str, datetime] = {}
    for (order, _), card in accepted.items():
        shown[order] = min(card.at, shown.get(order, card.at))
    waits = (
        (shown[str(each.order_id)] - each.tapped_at).total_seconds() for each in shopped if str(each.order_id) in shown
    )
    return next(waits, 0.0)
