"""One order is one trace: from the customer's call to the call of the Bot API."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import httpx

from cli.notify import link_chats
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.e2e.platform.conftest import Observed
    from tests.spans import Span


STOPS = {("loms", "api"), ("loms", "relay"), ("notification", "consumer"), ("notification", "sender")}


async def test_one_order_is_one_trace_from_http_to_telegram(observed: Observed) -> None:
    stack = observed.platform.stack
    await link_chats(stack, {7001: 77_001})
    trace = uuid4().hex
    tap = uuid4().hex[:16]

    async with httpx.AsyncClient(base_url=stack.loms_http_url) as customer:
        answer = await customer.post(
            "/order/create",
            json={"userId": 7001, "items": [{"sku": 1625903, "count": 1}]},
            headers={"traceparent": f"00-{trace}-{tap}-01"},
        )
    assert answer.status_code == 200

    spans = await eventually(lambda: _whole(observed.spans.of_trace(trace)), within=20)
    assert _roots(spans) == {tap}
    assert all(_leads_home(span, spans, tap) for span in spans)


def _whole(spans: list[Span]) -> list[Span]:
    assert {span.process for span in spans} >= STOPS, sorted({(*span.process, span.name) for span in spans})
    return spans


def _roots(spans: list[Span]) -> set[str]:
    known = {span.span for span in spans}
    return {span.parent for span in spans if span.parent not in known}


def _leads_home(span: Span, spans: list[Span], tap: str) -> bool:
    by_id = {each.span: each for each in spans}
    while span.parent != tap:
        span = by_id[span.parent]
    return True
