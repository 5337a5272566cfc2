"""The use case of listing: pages of orders, newest first.

A page begins below an order's id, wherever that order's status has gone meanwhile: no order comes twice, and none is
left out that fitted the filter all along. Orders placed after the first page do not come into later ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.loms.domain.ids import OrderId, UserId
from services.loms.domain.items import Item
from services.loms.domain.order import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which orders are wanted; None wants all."""

    user_id: UserId | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOrder:
    """An order as a list shows it; items by sku ascending."""

    id: OrderId
    user_id: UserId
    status: Status
    items: Sequence[Item]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some orders, newest first, and below which id the next page begins; None: there is none."""

    orders: Sequence[ListedOrder]
    next_below: OrderId | None


class OrderPages(Protocol):
    """The orders as committed, to be read from the newest on."""

    async def newest(self, wanted: Filter, *, below: OrderId | None, orders_max: int) -> Sequence[ListedOrder]:
        """Read the newest orders that fit, in one snapshot; `below` leaves out this order and newer ones."""
        ...


class ListingService:
    """Lists orders."""

    def __init__(self, *, pages: OrderPages) -> None:
        self._pages = pages

    async def page(self, wanted: Filter, *, below: OrderId | None, size: int) -> Page:
        """Return the page of `size` orders below an order, the first page if there is none."""
        found = await self._pages.newest(wanted, below=below, orders_max=size + 1)
        shown = found[:size]
        return Page(shown, next_below=shown[-1].id if len(found) > size else None)
