"""The cart as a customer's program calls it: JSON over HTTP, repeated the way a careful person presses again.

A checkout carries an idempotency key, so repeating it never makes a second order. An add whose answer was lost may
count twice: who must know looks into the cart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from cli.patient_http import PatientHttp


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line of a cart."""

    sku: int
    name: str
    count: int
    price: int


@dataclass(frozen=True, slots=True)
class ShownCart:
    """A cart as it is shown."""

    items: tuple[CartLine, ...]
    total_price: int


class CartRefused(Exception):
    """The cart said no: the HTTP status, the refusal's name, and why."""

    def __init__(self, *, http_status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.http_status = http_status
        self.code = code
        self.detail = detail


class CartHttp(PatientHttp):
    """The calls of the cart. Every call raises ``CartRefused`` when it says no."""

    SERVICE = "the cart"
    PROCESS = "cart-api"
    ATTEMPT_SECONDS_MAX = 12.0
    """A little longer than the cart itself takes at most."""

    async def add(self, user_id: int, sku: int, count: int) -> None:
        """Put pieces into the cart."""
        await self._call("POST", f"/user/{user_id}/cart/{sku}", json={"count": count})

    async def remove(self, user_id: int, sku: int) -> None:
        """Take a sku out."""
        await self._call("DELETE", f"/user/{user_id}/cart/{sku}")

    async def clear(self, user_id: int) -> None:
        """Take everything out."""
        await self._call("DELETE", f"/user/{user_id}/cart")

    async def show(self, user_id: int) -> ShownCart:
        """Read the cart with names and prices; an empty one is refused."""
        answer = await self._call("GET", f"/user/{user_id}/cart")
        return ShownCart(tuple(CartLine(**item) for item in answer["items"]), answer["total_price"])

    async def checkout(self, user_id: int, *, idempotency_key: str | None = None) -> int:
        """Order what is in the cart and return the order's id. Without a key one is made."""
        headers = {"Idempotency-Key": (idempotency_key or str(uuid4())).encode()}
        answer = await self._call("POST", f"/checkout/{user_id}", headers=headers)
        return int(answer["order_id"])

    def _refusal(self, http_status: int, body: Any) -> CartRefused:
        return CartRefused(http_status=http_status, code=body["code"], detail=body["detail"])
