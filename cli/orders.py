"""onelane orders: Place, pay, cancel, read and list orders; one order's whole story."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cli.exits import CommandFailed, ExitCode
from cli.ids import ID_MAX
from cli.output import Output, OutputFormat, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cli.loms_http import Item, Listed, LomsHttp
    from verification.timeline import Retention

Answer = TypeVar("Answer")

app = typer.Typer(no_args_is_help=True, add_completion=False)

OrderId = Annotated[int, typer.Argument(min=1, max=ID_MAX, help="The order's id.")]


@app.command()
def place(
    user: Annotated[int, typer.Option(min=1, max=ID_MAX, envvar="ONELANE_USER", help="Who orders.")],
    item: Annotated[list[str], typer.Option(envvar="ONELANE_ITEMS", help="SKU:COUNT; give it once per line.")],
    key: Annotated[
        str, typer.Option(envvar="ONELANE_IDEMPOTENCY_KEY", help="The same key again answers the first order's id.")
    ] = "",
    output: Output = OutputFormat.TABLE,
) -> None:
    """Place an order: its items are reserved, or it fails and nothing is."""
    items = [_item(text) for text in item]
    order_id = _ask(lambda loms: loms.create(user_id=user, items=items, idempotency_key=key or None))
    if output is OutputFormat.JSON:
        show_json({"order_id": order_id})
    else:
        typer.echo(f"order {order_id} placed · onelane orders pay {order_id}")


@app.command()
def pay(order_id: OrderId) -> None:
    """Pay for an order; paying a paid one changes nothing."""
    _ask(lambda loms: loms.pay(order_id))
    typer.echo(f"order {order_id} paid")


@app.command()
def cancel(order_id: OrderId) -> None:
    """Cancel an order that awaits payment; cancelling a cancelled one changes nothing."""
    _ask(lambda loms: loms.cancel(order_id))
    typer.echo(f"order {order_id} cancelled")


@app.command()
def get(order_id: OrderId, output: Output = OutputFormat.TABLE) -> None:
    """Read an order: status, owner, items."""
    order = _ask(lambda loms: loms.info(order_id))
    items = [{"sku": each.sku, "count": each.count} for each in order.items]
    if output is OutputFormat.JSON:
        show_json({"order_id": order_id, "status": order.status, "user_id": order.user_id, "items": items})
        return
    rows = [(str(each["sku"]), each["count"]) for each in items]
    show_table(("sku", "count"), rows, title=f"order {order_id} · {order.status} · user {order.user_id}")


@app.command(name="list")
def list_(
    user: Annotated[
        int | None, typer.Option(min=1, max=ID_MAX, envvar="ONELANE_USER", help="Only this user's.")
    ] = None,
    status: Annotated[
        str, typer.Option(envvar="ONELANE_STATUS", help="Only in this status, as 'awaiting payment'.")
    ] = "",
    page_size: Annotated[int, typer.Option(min=1, envvar="ONELANE_PAGE_SIZE", help="Orders of a page.")] = 20,
    page_token: Annotated[
        str, typer.Option(envvar="ONELANE_PAGE_TOKEN", help="What the page before said; the same filter with it.")
    ] = "",
    output: Output = OutputFormat.TABLE,
) -> None:
    """List orders, newest first, a page at a time."""
    page = _ask(lambda loms: loms.orders(user_id=user, status=status, page_size=page_size, page_token=page_token))
    if output is OutputFormat.JSON:
        show_json({"orders": [_as_json(each) for each in page.orders], "next_page_token": page.next_token})
        return
    rows = [
        (
            str(each.order.order_id),
            f"{each.created_at:%Y-%m-%d %H:%M:%S}",
            str(each.order.user_id),
            each.order.status,
            " ".join(f"{item.sku}:{item.count}" for item in each.order.items),
        )
        for each in page.orders
    ]
    show_table(("order", "placed (UTC)", "user", "status", "items"), rows)
    if page.next_token:
        typer.echo(f"more: the same with --page-token {page.next_token}")


@app.command()
def timeline(order_id: OrderId, output: Output = OutputFormat.TABLE) -> None:
    """Tell one order's whole story: transaction, outbox, Kafka, inbox, Telegram."""
    from cli.running import running_stack
    from verification.timeline import read_timeline

    stack = running_stack()
    steps = asyncio.run(
        read_timeline(
            order_id,
            loms_dsn=stack.loms_reader_dsn,
            notification_dsn=stack.notification_reader_dsn,
            bootstrap_servers=stack.kafka_bootstrap,
            retention=_retention(),
        )
    )
    if not steps:
        raise CommandFailed(
            f"order {order_id} is unknown", cure="onelane orders place makes one", code=ExitCode.REFUSED
        )
    if output is OutputFormat.JSON:
        show_json([step.as_json() for step in steps])
        return
    start = next((step.at for step in steps if step.at), None)
    rows = [
        (
            f"{step.at:%H:%M:%S.%f}" if step.at else None,
            f"+{(step.at - start).total_seconds() * 1000:.1f}" if step.at and start else None,
            step.version,
            step.where,
            step.what,
        )
        for step in steps
    ]
    show_table(("time", "ms", "version", "where", "what"), rows, title=f"order {order_id}")


def _retention() -> Retention:
    """How long rows and records are kept, as the relay and the topic are set up."""
    from events.topics import ORDER_EVENTS, catalogue
    from outbox.settings import RelaySettings
    from verification.timeline import Retention

    hours: Any = next(each.default for each in fields(RelaySettings) if each.name == "retention_hours")
    return Retention(rows=timedelta(hours=hours), records=catalogue()[ORDER_EVENTS].retention)


def _as_json(listed: Listed) -> dict[str, Any]:
    order = listed.order
    return {
        "order_id": order.order_id,
        "status": order.status,
        "user_id": order.user_id,
        "items": [{"sku": item.sku, "count": item.count} for item in order.items],
        "created_at": listed.created_at.isoformat(),
    }


def _item(text: str) -> Item:
    from cli.loms_http import Item

    sku, _, count = text.partition(":")
    try:
        return Item(sku=int(sku), count=int(count))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not SKU:COUNT, two whole numbers as in 139275865:2") from None


def _ask(call: Callable[[LomsHttp], Awaitable[Answer]]) -> Answer:
    from cli.loms_http import LomsHttp, LomsRefused
    from cli.running import running_stack

    async def asked() -> Answer:
        async with LomsHttp(base_url=running_stack().loms_http_url) as loms:
            return await call(loms)

    try:
        return asyncio.run(asked())
    except LomsRefused as refusal:
        raise CommandFailed(refusal.message, code=ExitCode.REFUSED) from refusal
