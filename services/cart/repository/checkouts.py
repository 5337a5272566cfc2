"""The checkouts' rows. The cart's rows are locked before a checkout is looked for: then it is open, over, or ours."""

from datetime import timedelta
from uuid import uuid4

from asyncpg import Record

from services.cart.domain.cart import CartItem, OrderId, Sku, UserId
from services.cart.domain.checkout import Checkout, State
from services.cart.domain.errors import CartIsEmpty
from services.cart.repository.connection import Connection, Pool, lent
from services.cart.repository.statements import statement


class Checkouts:
    """The ports `Checkouts` and `OldCheckouts` over a pool."""

    def __init__(self, *, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, user_id: UserId, key: str | None) -> Checkout:
        """Return the checkout to go on with: done by this key, open, or new; raise CartIsEmpty."""
        async with lent(self._pool) as connection, connection.transaction():
            items = await connection.fetch(statement("lock_cart"), user_id)
            known = await connection.fetchrow(statement("find_checkout"), user_id, key)
            checkout = _checkout(known) if known else await self._add(connection, user_id, items)
            if key is not None and checkout.state is State.OPEN:
                await connection.execute(statement("keep_key"), user_id, key, checkout.id)
            return checkout

    async def finish(self, checkout: Checkout, order_id: OrderId) -> None:
        """Mark it done and take out of the cart exactly what was ordered, both or neither, once."""
        async with lent(self._pool) as connection, connection.transaction():
            await connection.fetch(statement("lock_cart"), checkout.user_id)
            await connection.execute(statement("finish_checkout"), checkout.id, order_id)

    async def refuse(self, checkout: Checkout) -> None:
        """Mark it refused; the cart stays as it is."""
        async with lent(self._pool) as connection:
            await connection.execute(statement("refuse_checkout"), checkout.id)

    async def give_up(self, *, after: timedelta, count_max: int) -> int:
        """End some checkouts that have been open for so long; return how many."""
        async with lent(self._pool) as connection:
            return _changed(await connection.execute(statement("give_up_checkouts"), after, count_max))

    async def forget(self, *, after: timedelta, count_max: int) -> int:
        """Delete some checkouts that ended so long ago; return how many."""
        async with lent(self._pool) as connection:
            return _changed(await connection.execute(statement("forget_checkouts"), after, count_max))

    async def _add(self, connection: Connection, user_id: UserId, rows: list[Record]) -> Checkout:
        if not rows:
            raise CartIsEmpty(user_id)
        items = [CartItem(Sku(row["sku"]), row["count"]) for row in rows]
        checkout = Checkout(id=uuid4(), user_id=user_id, items=items, state=State.OPEN)
        skus, counts = [item.sku for item in items], [item.count for item in items]
        await connection.execute(statement("begin_checkout"), checkout.id, user_id, skus, counts)
        return checkout


def _checkout(row: Record) -> Checkout:
    pairs = zip(row["skus"], row["counts"], strict=True)
    return Checkout(
        id=row["checkout_id"],
        user_id=row["user_id"],
        items=[CartItem(Sku(sku), count) for sku, count in pairs],
        state=State(row["state"]),
        order_id=row["order_id"],
    )


def _changed(done: str) -> int:
    """Read the number of rows out of what the server says of a command: `DELETE 3`."""
    return int(done.rpartition(" ")[2])
