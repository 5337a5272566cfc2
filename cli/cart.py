"""onelane cart: Fill a cart, look into it, and turn it into an order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cli.exits import CommandFailed, ExitCode
from cli.ids import ID_MAX
from cli.output import Output, OutputFormat, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cli.cart_http import CartHttp

Answer = TypeVar("Answer")

app = typer.Typer(no_args_is_help=True, add_completion=False)

User = Annotated[int, typer.Option(min=1, max=ID_MAX, envvar="ONELANE_USER", help="Whose cart it is.")]
Sku = Annotated[int, typer.Argument(min=1, max=ID_MAX, help="The sku.")]


@app.command()
def add(sku: Sku, user: User, count: Annotated[int, typer.Option(min=1, help="How many pieces.")] = 1) -> None:
    """Put pieces of a sku into the cart; repeated adds sum, and nothing is reserved."""
    _ask(lambda cart: cart.add(user, sku, count))
    typer.echo(f"{count} of sku {sku} added · onelane cart show --user {user}")


@app.command()
def remove(sku: Sku, user: User) -> None:
    """Take a sku out of the cart, whether it is there or not."""
    _ask(lambda cart: cart.remove(user, sku))
    typer.echo(f"sku {sku} removed")


@app.command()
def clear(user: User) -> None:
    """Take everything out of the cart."""
    _ask(lambda cart: cart.clear(user))
    typer.echo(f"the cart of user {user} is empty")


@app.command()
def show(user: User, output: Output = OutputFormat.TABLE) -> None:
    """Look into the cart: names, prices and their sum, as they are now."""
    cart = _ask(lambda cart: cart.show(user))
    lines = [{"sku": each.sku, "name": each.name, "count": each.count, "price": each.price} for each in cart.items]
    if output is OutputFormat.JSON:
        show_json({"items": lines, "total_price": cart.total_price})
        return
    rows = [(str(each.sku), each.name, each.count, each.price, each.count * each.price) for each in cart.items]
    title = f"cart of user {user} · {cart.total_price:,} in all"
    show_table(("sku", "name", "count", "price", "sum"), rows, title=title)


@app.command()
def checkout(
    user: User,
    key: Annotated[
        str, typer.Option(envvar="ONELANE_IDEMPOTENCY_KEY", help="The same key again answers the first order's id.")
    ] = "",
    output: Output = OutputFormat.TABLE,
) -> None:
    """Order what is in the cart; what is added meanwhile stays in it."""
    order_id = _ask(lambda cart: cart.checkout(user, idempotency_key=key or None))
    if output is OutputFormat.JSON:
        show_json({"order_id": order_id})
    else:
        typer.echo(f"order {order_id} placed · onelane orders pay {order_id}")


def _ask(call: Callable[[CartHttp], Awaitable[Answer]]) -> Answer:
    from cli.cart_http import CartHttp, CartRefused
    from cli.running import running_stack

    async def asked() -> Answer:
        async with CartHttp(base_url=running_stack().cart_http_url) as cart:
            return await call(cart)

    try:
        return asyncio.run(asked())
    except CartRefused as refusal:
        raise CommandFailed(refusal.detail, code=ExitCode.REFUSED) from refusal
