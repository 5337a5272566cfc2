"""LOMS as a customer's program calls it: JSON over HTTP, retried the way a careful client retries.

A create carries an idempotency key, pay and cancel are idempotent by contract, so every call may be repeated until it
is answered: a lost answer never becomes a second order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import httpx
import stamina

from stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

RETRY_SECONDS_MAX = 60.0
"""How long a call is repeated while LOMS is away: longer than any restart of the stack's own."""

_UNANSWERED = frozenset({httpx.codes.CONFLICT, httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE})
_UNANSWERED_TOO = frozenset({httpx.codes.GATEWAY_TIMEOUT, httpx.codes.INTERNAL_SERVER_ERROR})


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order: ``count`` pieces of ``sku``."""

    sku: int
    count: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order as LOMS shows it."""

    order_id: int
    status: str
    user_id: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """An order of a list, and when it was placed."""

    order: Order
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Orders, newest first; ``next_token`` asks for the page after it and is empty on the last one."""

    orders: tuple[Listed, ...]
    next_token: str


class LomsRefused(Exception):
    """LOMS said no. ``code`` is the gRPC code's number; ``reason`` and ``facts`` name the refusal if known."""

    def __init__(self, *, http_status: int, code: int, message: str, reason: str, facts: dict[str, str]) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.message = message
        self.reason = reason
        self.facts = facts


class LomsAway(StackError):
    """LOMS gave no answer for ``RETRY_SECONDS_MAX``; whether a change happened is unknown, repeating it is safe."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"LOMS did not answer {path} for {RETRY_SECONDS_MAX:.0f} s: {reason}",
            cure="onelane urls shows what runs, onelane logs loms-api what it says",
        )


class _NoAnswerYet(Exception):
    """LOMS is away, busy with the same key, or fell over: the same call may be repeated."""


class LomsHttp:
    """The calls of LOMS. Use as an async context manager; every call raises ``LomsRefused`` when LOMS says no."""

    def __init__(self, *, base_url: str, connections_max: int = 64, timeout_seconds: float = 5.0) -> None:
        stamina.instrumentation.set_on_retry_hooks(())  # repeating is the rule here, not news
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=timeout_seconds,
            limits=httpx.Limits(max_connections=connections_max),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def create(self, *, user_id: int, items: Iterable[Item], idempotency_key: str | None = None) -> int:
        """Place an order and return its id. Without a key one is made, which makes repeating safe."""
        body = {"userId": str(user_id), "items": [{"sku": str(item.sku), "count": item.count} for item in items]}
        key = idempotency_key or str(uuid4())
        answer = await self._call("POST", "/order/create", json=body, headers={"Idempotency-Key": key})
        return int(answer["orderId"])

    async def pay(self, order_id: int) -> None:
        """Pay for an order; paying a paid one changes nothing."""
        await self._call("POST", "/order/pay", json={"orderId": str(order_id)})

    async def cancel(self, order_id: int) -> None:
        """Cancel an order; cancelling a cancelled one changes nothing."""
        await self._call("POST", "/order/cancel", json={"orderId": str(order_id)})

    async def info(self, order_id: int) -> Order:
        """Read an order."""
        answer = await self._call("GET", "/order/info", params={"orderId": order_id})
        return _order(order_id, answer)

    async def orders(
        self, *, user_id: int | None = None, status: str = "", page_size: int | None = None, page_token: str = ""
    ) -> Page:
        """Read a page of orders, newest first."""
        asked = {"userId": user_id, "status": status, "pageSize": page_size, "pageToken": page_token}
        answer = await self._call("GET", "/order/list", params={name: value for name, value in asked.items() if value})
        listed = (
            Listed(_order(int(each["orderId"]), each), datetime.fromisoformat(each["createdAt"]))
            for each in answer["orders"]
        )
        return Page(tuple(listed), next_token=answer["nextPageToken"])

    async def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            async for attempt in stamina.retry_context(
                on=(httpx.TransportError, _NoAnswerYet), attempts=None, timeout=RETRY_SECONDS_MAX, wait_max=1.0
            ):
                with attempt:
                    return _answer(await self._client.request(method, path, **request))
        except (httpx.TransportError, _NoAnswerYet) as error:
            raise LomsAway(path, str(error) or type(error).__name__) from error
        raise AssertionError("unreachable: the retries end with an answer or an exception")


def _order(order_id: int, shown: dict[str, Any]) -> Order:
    return Order(
        order_id=order_id,
        status=shown["status"],
        user_id=int(shown["userId"]),
        items=tuple(Item(sku=int(item["sku"]), count=item["count"]) for item in shown["items"]),
    )


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.is_success:
        body: dict[str, Any] = response.json()
        return body
    if response.status_code in _UNANSWERED | _UNANSWERED_TOO:
        raise _NoAnswerYet(f"{response.request.url.path} answered {response.status_code}: {response.text[:200]}")
    status = response.json()
    named: dict[str, Any] = next((detail for detail in status.get("details", ()) if "reason" in detail), {})
    raise LomsRefused(
        http_status=response.status_code,
        code=status["code"],
        message=status["message"],
        reason=named.get("reason", ""),
        facts=named.get("metadata", {}),
    )
