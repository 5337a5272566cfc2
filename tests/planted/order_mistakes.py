"""PB-16 to PB-19: the mistakes people make with stock and with answers that were lost."""

from collections.abc import Sequence

from services.loms.domain.ids import UserId
from services.loms.domain.items import Item, summed
from services.loms.domain.order import placement
from services.loms.repository.statements import statement
from services.loms.service.attempts import Answer, Attempt
from services.loms.service.orders import OrderService
from services.loms.service.ports import OutcomeUnknown
from tests.planted.order_stand import PLACE_ORDER, OrderParts

_LOCKING = "order by sku for update"
_SETTLING = "  update orders\n"


def _weakened(condition: str, instead: str) -> str:
    text = statement(PLACE_ORDER)
    if condition not in text:
        raise LookupError(f"{PLACE_ORDER}.sql no longer says {condition!r}: plant this mistake anew")
    return text.replace(condition, instead)


def looks_then_takes() -> OrderParts:
    """PB-16: looks at the stock, then takes from it, with nothing in between held."""
    return OrderParts(place_order=_weakened(_LOCKING, "order by sku"))


def locks_in_any_order() -> OrderParts:
    """PB-17: every other transaction locks its rows from the other end."""
    from_either_end = "order by sku * (2 * (drawn_id % 2) - 1) for update"
    return OrderParts(place_order=_weakened(_LOCKING, from_either_end))


def undoes_what_failed() -> OrderParts:
    """PB-18: a shortage is an exception inside the transaction, and takes the failed order with it."""
    raises = "  if short <> '{}' then\n    raise exception 'not enough stock';\n  end if;\n"
    return OrderParts(place_order=_weakened(_SETTLING, raises + _SETTLING))


class _TakesUnknownForNothing(OrderService):
    async def create(self, user_id: UserId, lines: Sequence[Item], attempt: Attempt | None = None) -> Answer:
        try:
            return await self._once(user_id, lines, attempt)
        except OutcomeUnknown:
            return await self._once(user_id, lines, attempt)

    async def _once(self, user_id: UserId, lines: Sequence[Item], attempt: Attempt | None) -> Answer:
        async with self._unit_of_work.statements() as tx:
            order = await tx.orders.draw(user_id, summed(lines))
            short = await tx.orders.place(placement(order), attempt)
        return Answer(order.id, failed=bool(short), short=short)


def repeats_blindly() -> OrderParts:
    """PB-19: takes a connection lost at the commit for an order that is not there, and places another."""
    return OrderParts(service=_TakesUnknownForNothing)
