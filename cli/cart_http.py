"""The cart as a customer's program calls it: JSON over HTTP, repeated the way a careful person presses again.

A checkout carries an idempotency key, so repeating it never makes a second order. An add whose answer was lost may
count twice: who must know looks into the cart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import httpx
import stamina

from stack.errors import StackError

if TYPE_CHECKING:
    from types import TracebackType

RETRY_SECONDS_MAX = 60.0
"""How long a call is repeated while the cart is away: longer than any restart of the stack's own."""
REQUEST_SECONDS_MAX = 12.0
"""A little longer than the cart itself takes at most."""

_UNANSWERED = frozenset(
    {
        httpx.codes.CONFLICT,
        httpx.codes.INTERNAL_SERVER_ERROR,
        httpx.codes.BAD_GATEWAY,
        httpx.codes.SERVICE_UNAVAILABLE,
        httpx.codes.GATEWAY_TIMEOUT,
    }
)


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


class CartAway(StackError):
    """The cart gave no answer for ``RETRY_SECONDS_MAX``."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"the cart did not answer {path} for {RETRY_SECONDS_MAX:.0f} s: {reason}",
            cure="onelane urls shows what runs, onelane logs cart-api what it says",
        )


class _NoAnswerYet(Exception):
    """The cart or a neighbour of it is away: the same call may be repeated."""


class CartHttp:
    """The calls of the cart. Use as an async context manager; every call raises ``CartRefused`` when it says no."""

    def __init__(self, *, base_url: str, connections_max: int = 64) -> None:
        stamina.instrumentation.set_on_retry_hooks(())  # repeating is the rule here, not news
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=REQUEST_SECONDS_MAX,
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
        answer = (await self._call("GET", f"/user/{user_id}/cart")).json()
        return ShownCart(tuple(CartLine(**item) for item in answer["items"]), answer["total_price"])

    async def checkout(self, user_id: int, *, idempotency_key: str | None = None) -> int:
        """Order what is in the cart and return the order's id. Without a key one is made."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
        answer = (await self._call("POST", f"/checkout/{user_id}", headers=headers)).json()
        return int(answer["order_id"])

    async def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            async for attempt in stamina.retry_context(
                on=(httpx.TransportError, _NoAnswerYet), attempts=None, timeout=RETRY_SECONDS_MAX, wait_max=1.0
            ):
                with attempt:
                    return _answered(await self._client.request(method, path, **request))
        except (httpx.TransportError, _NoAnswerYet) as error:
            raise CartAway(path, str(error) or type(error).__name__) from error
        raise AssertionError("unreachable: the retries end with an answer or an exception")


def _answered(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    if response.status_code in _UNANSWERED:
        raise _NoAnswerYet(f"{response.request.url.path} answered {response.status_code}")
    problem = response.json()
    raise CartRefused(http_status=response.status_code, code=problem["code"], detail=problem["detail"])
