"""The HTTP face of the projection: orders, how many have which status, figures of the last minutes.

While the view is still being read it is not shown: every question is refused with 503.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Query
from pydantic import BaseModel

from chassis.clock import Clock
from chassis.decimals import decimal
from chassis.http import http_application, problem_response
from services.projection.domain.figures import Figures
from services.projection.domain.view import OrderView
from services.projection.service.projection import Projection

VERSION = "1"
_ID_MAX = 2**63 - 1
_MINUTES_MAX = 24 * 60

_OrderId = Annotated[int, decimal(least=1, most=_ID_MAX), Path(ge=1, le=_ID_MAX)]
_Minutes = Annotated[int, decimal(least=1, most=_MINUTES_MAX), Query(ge=1, le=_MINUTES_MAX)]

Responses = dict[int | str, dict[str, Any]]
"""What a route may answer beside its result."""


class OrderNotSeen(Exception):
    """No event of this order has been read."""

    def __init__(self, order_id: int) -> None:
        super().__init__(f"no event of order {order_id} has been read")


class ViewNotWhole(Exception):
    """Not all that was published has been read yet."""

    def __init__(self, records_missing: int) -> None:
        super().__init__(f"the view is being built: {records_missing} records are still to be read")


class OrderBody(BaseModel):
    """An order as its events tell it."""

    order_id: int
    user_id: int
    status: str
    version: int
    changed_at: datetime
    created_at: datetime | None
    paid_at: datetime | None

    @classmethod
    def of(cls, view: OrderView) -> "OrderBody":
        """Say a view in the caller's words."""
        return cls.model_validate(view, from_attributes=True)


class FiguresBody(BaseModel):
    """Figures of the last minutes, the one that runs included."""

    minutes: int
    created: int
    paid: int
    failed: int
    cancelled: int
    orders_per_minute: float
    seconds_to_paid: float | None
    failure_share: float | None

    @classmethod
    def of(cls, figures: Figures) -> "FiguresBody":
        """Say figures in the caller's words."""
        return cls.model_validate(figures, from_attributes=True)


def application(*, projection: Projection, clock: Clock, rebuild: Callable[[], Awaitable[None]]) -> FastAPI:
    """Build the application."""
    app = http_application(
        title="projection",
        version=VERSION,
        description="A live view of the orders, rebuilt from their events.",
        refusals={OrderNotSeen: HTTPStatus.NOT_FOUND, ViewNotWhole: HTTPStatus.SERVICE_UNAVAILABLE},
    )

    def whole() -> Projection:
        if missing := projection.records_missing:
            raise ViewNotWhole(missing)
        return projection

    whole_view = Annotated[Projection, Depends(whole)]
    unavailable: Responses = {503: problem_response("The view is still being read")}

    @app.get(
        "/orders/{order_id}",
        responses={**unavailable, 404: problem_response("No event of this order has been read")},
    )
    async def order(view: whole_view, order_id: _OrderId) -> OrderBody:
        """Read an order."""
        found = view.order(order_id)
        if found is None:
            raise OrderNotSeen(order_id)
        return OrderBody.of(found)

    @app.get("/statuses", responses=unavailable)
    async def statuses(view: whole_view) -> dict[str, int]:
        """Count the orders by their present status."""
        return dict(view.statuses())

    @app.get("/figures", responses=unavailable)
    async def figures(view: whole_view, minutes: _Minutes = 5) -> FiguresBody:
        """Read the figures of the last minutes."""
        return FiguresBody.of(view.figures(until=clock.now(), minutes=minutes))

    @app.post("/rebuild", status_code=HTTPStatus.ACCEPTED)
    async def rebuild_view() -> None:
        """Forget the view and read all that was published again."""
        await rebuild()

    return app
