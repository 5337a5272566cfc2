"""What is known of an order, and how an event changes it: the highest version wins, whatever order events come in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

NEW, PAID, FAILED, CANCELLED = "new", "paid", "failed", "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """An event of an order."""

    order_id: int
    version: int
    status: str
    moment: datetime
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order as its events tell it; `created_at` and `paid_at` are known once their events have come."""

    order_id: int
    user_id: int
    status: str
    version: int
    changed_at: datetime
    created_at: datetime | None = None
    paid_at: datetime | None = None


def advanced(view: OrderView | None, change: StatusChange) -> OrderView:
    """Return the view after an event; a repeat changes nothing, a late one only the moments it brings."""
    if view is None:
        view = OrderView(
            order_id=change.order_id,
            user_id=change.user_id,
            status=change.status,
            version=change.version,
            changed_at=change.moment,
        )
    if change.version > view.version:
        view = replace(view, status=change.status, version=change.version, changed_at=change.moment)
    if change.status == NEW:
        view = replace(view, created_at=change.moment)
    if change.status == PAID:
        view = replace(view, paid_at=change.moment)
    return view


class Happening(StrEnum):
    """What a minute counts."""

    CREATED = "created"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


def happenings(view: OrderView) -> Iterator[tuple[Happening, datetime, timedelta | None]]:
    """Tell what a view contributes to the figures: what happened, when, and how long after the order was placed.

    The figures are the sum over all views, so they never depend on the order in which events came.
    """
    if view.created_at is not None:
        yield Happening.CREATED, view.created_at, None
    if view.paid_at is not None:
        since_created = view.paid_at - view.created_at if view.created_at is not None else None
        yield Happening.PAID, view.paid_at, since_created
    if view.status == FAILED:
        yield Happening.FAILED, view.changed_at, None
    if view.status == CANCELLED:
        yield Happening.CANCELLED, view.changed_at, None
