"""The HTTP face of the cart."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

from chassis.decimals import decimal
from chassis.http import http_application, problem_response
from services.cart.api.errors import HTTP_REFUSALS
from services.cart.domain.cart import ID_MAX, CartItem, PricedCart, Sku, UserId
from services.cart.service.carts import CartService
from services.cart.service.checkout import CheckoutService

VERSION = "1"
KEY_LENGTH_MAX = 255

_Id = Annotated[int, decimal(least=1, most=ID_MAX)]
UserPath = Annotated[_Id, Path(ge=1, le=ID_MAX)]
SkuPath = Annotated[_Id, Path(ge=1, le=ID_MAX)]

_KEY = "Idempotency-Key"
_GivenKey = Annotated[str | None, Header(alias=_KEY, min_length=1, max_length=KEY_LENGTH_MAX)]


def _only_key(request: Request, key: _GivenKey = None) -> str | None:
    """Return the key; refuse several, since which of them would bind is anybody's guess."""
    given = request.headers.getlist(_KEY)
    if len(given) > 1:
        said = {"type": "too_long", "loc": ("header", _KEY), "msg": "Input should be one header", "input": given}
        raise RequestValidationError([said])
    return key


Key = Annotated[str | None, Depends(_only_key)]


class AddBody(BaseModel):
    """How many pieces are added."""

    count: Annotated[int, Field(strict=True, gt=0, le=ID_MAX)]


class LineBody(BaseModel):
    """An item of a cart."""

    sku: int
    name: str
    count: int
    price: int


class CartBody(BaseModel):
    """A cart, by sku ascending."""

    items: list[LineBody]
    total_price: int

    @classmethod
    def of(cls, cart: PricedCart) -> "CartBody":
        """Say a cart in the caller's words."""
        lines = [LineBody(sku=each.sku, name=each.name, count=each.count, price=each.price) for each in cart.lines]
        return cls(items=lines, total_price=cart.total_price)


class CheckoutBody(BaseModel):
    """What a checkout led to."""

    order_id: int


def application(*, carts: CartService, checkouts: CheckoutService, request_seconds_max: float) -> FastAPI:
    """Build the application; a request ends within `request_seconds_max`, with all the calls it makes."""
    app = http_application(
        title="cart",
        version=VERSION,
        description="A basket that becomes an order.",
        refusals=HTTP_REFUSALS,
        request_seconds_max=request_seconds_max,
    )
    app.include_router(_cart_routes(carts))
    app.include_router(_checkout_routes(checkouts))
    return app


_Responses = dict[int | str, dict[str, Any]]

_AWAY: _Responses = {
    503: problem_response("A service we need did not answer: send the same request again"),
    504: problem_response("The request took longer than it may: send the same request again"),
}


def _cart_routes(carts: CartService) -> APIRouter:
    routes = APIRouter(prefix="/user")

    @routes.post(
        "/{user_id}/cart/{sku_id}",
        response_class=Response,
        responses={**_AWAY, 412: problem_response("The sku is unknown, or the sum is more than can be had")},
    )
    async def add(user_id: UserPath, sku_id: SkuPath, body: AddBody) -> Response:
        """Add pieces of a sku; repeated adds sum."""
        await carts.add(UserId(user_id), CartItem(Sku(sku_id), body.count))
        return Response()

    @routes.delete("/{user_id}/cart/{sku_id}", status_code=204)
    async def remove(user_id: UserPath, sku_id: SkuPath) -> None:
        """Take a sku out, whether it is there or not."""
        await carts.remove(UserId(user_id), Sku(sku_id))

    @routes.delete("/{user_id}/cart", status_code=204)
    async def clear(user_id: UserPath) -> None:
        """Take everything out."""
        await carts.clear(UserId(user_id))

    @routes.get("/{user_id}/cart", responses={**_AWAY, 404: problem_response("The cart is empty")})
    async def read(user_id: UserPath) -> CartBody:
        """Read the cart with names and prices of now."""
        return CartBody.of(await carts.list(UserId(user_id)))

    return routes


def _checkout_routes(checkouts: CheckoutService) -> APIRouter:
    routes = APIRouter()
    answers: _Responses = {
        404: problem_response("The cart is empty"),
        409: problem_response("The same checkout is running at this moment"),
        412: problem_response("LOMS refuses the order; the cart is kept"),
    }

    @routes.post("/checkout/{user_id}", responses={**_AWAY, **answers})
    async def checkout(user_id: UserPath, key: Key) -> CheckoutBody:
        """Order what is in the cart; a repeat with the same key gets the same order."""
        return CheckoutBody(order_id=await checkouts.checkout(UserId(user_id), key))

    return routes
