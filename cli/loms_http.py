"""LOMS as a customer's program calls it: JSON over HTTP, retried the way a careful client retries.

A create carries an idempotency key, pay and cancel are idempotent by contract, so every call may be repeated until it
is answered: a lost answer never becomes a second order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cli.patient_http import PatientHttp

if TYPE_CHECKING:
    from collections.abc import Iterable


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


class LomsHttp(PatientHttp):
    """The calls of LOMS. Every call raises ``LomsRefused`` when it says no; repeating any of them is safe."""

    SERVICE = "LOMS"
    PROCESS = "loms-api"
    ATTEMPT_SECONDS_MAX = 5.0

    async def create(self, *, user_id: int, items: Iterable[Item], idempotency_key: str | None = None) -> int:
        """Place an order and return its id. Without a key one is made, which makes repeating safe."""
        body = {"userId": str(user_id), "items": [{"sku": str(item.sku), "count": item.count} for item in items]}
        key = (idempotency_key or str(uuid4())).encode()
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

    def _refusal(self, http_status: int, body: Any) -> LomsRefused:
        named: dict[str, Any] = next((detail for detail in body.get("details", ()) if "reason" in detail), {})
        return LomsRefused(
            http_status=http_status,
            code=body["code"],
            message=body["message"],
            reason=named.get("reason", ""),
            facts=named.get("metadata", {}),
        )


def _order(order_id: int, shown: dict[str, Any]) -> Order:
    return Order(
        order_id=order_id,
        status=shown["status"],
        user_id=int(shown["userId"]),
        items=tuple(Item(sku=int(item["sku"]), count=item["count"]) for item in shown["items"]),
    )
