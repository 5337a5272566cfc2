"""The carts' rows: each call one statement on a connection of the pool, so that parallel adds lose nothing."""

from collections.abc import Sequence

from services.cart.domain.cart import CartItem, Sku, UserId
from services.cart.domain.errors import NotEnoughStock
from services.cart.repository.connection import Pool, lent
from services.cart.repository.statements import statement


class Carts:
    """The port `Carts` over a pool."""

    def __init__(self, *, pool: Pool) -> None:
        self._pool = pool

    async def add(self, user_id: UserId, item: CartItem, *, available: int) -> None:
        """Add pieces to what is there; raise NotEnoughStock, and change nothing, if that were more than `available`."""
        async with lent(self._pool) as connection:
            count = await connection.fetchval(statement("add_item"), user_id, item.sku, item.count, available)
            if count is None:
                in_cart = await connection.fetchval(statement("read_count"), user_id, item.sku)
                raise NotEnoughStock(item, in_cart=in_cart, available=available)

    async def remove(self, user_id: UserId, sku: Sku) -> None:
        """Take a sku out, if it is there."""
        async with lent(self._pool) as connection:
            await connection.execute(statement("remove_item"), user_id, sku)

    async def clear(self, user_id: UserId) -> None:
        """Take everything out."""
        async with lent(self._pool) as connection:
            await connection.execute(statement("clear_cart"), user_id)

    async def read(self, user_id: UserId) -> Sequence[CartItem]:
        """Read the items by sku, ascending."""
        async with lent(self._pool) as connection:
            rows = await connection.fetch(statement("read_cart"), user_id)
        return [CartItem(Sku(row["sku"]), row["count"]) for row in rows]
