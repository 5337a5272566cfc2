"""onelane notify: Who is told about their orders, and what became of the telling."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import CommandFailed, ExitCode
from cli.output import Output, OutputFormat, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence

    import asyncpg

    from cli.running import Running
    from services.notification.repository.subscribers import PostgresReports

Row = dict[str, Any]

app = typer.Typer(no_args_is_help=True, add_completion=False)

Rows = Annotated[int, typer.Option(min=1, max=10_000, envvar="ONELANE_NOTIFY_ROWS", help="Rows shown at most.")]


@app.command()
def link(
    user: Annotated[int, typer.Argument(min=1, help="The user who is told.")],
    chat: Annotated[int, typer.Option(envvar="ONELANE_CHAT", help="The Telegram chat that is told.")],
    *,
    move: Annotated[
        bool, typer.Option("--move", envvar="ONELANE_NOTIFY_MOVE", help="Move a user who is linked to another chat.")
    ] = False,
) -> None:
    """Tell this user in this chat from now on."""
    from cli.running import running_stack
    from services.notification.service.subscriptions import LinkedElsewhere

    try:
        asyncio.run(link_chats(running_stack(), {user: chat}, move=move))
    except LinkedElsewhere as refusal:
        raise CommandFailed(str(refusal), cure="add --move to move the link", code=ExitCode.REFUSED) from refusal
    typer.echo(f"user {user} is told in chat {chat}")


@app.command()
def subscribers(rows: Rows = 50, output: Output = OutputFormat.TABLE) -> None:
    """The newest links between users and chats."""
    _show(_report(lambda reports: reports.subscribers(rows)), output)


@app.command()
def attempts(
    order_id: Annotated[int, typer.Argument(min=1, help="The order's id.")], output: Output = OutputFormat.TABLE
) -> None:
    """What became of each status change of an order on its way to a person."""
    _show(_report(lambda reports: reports.attempts(order_id)), output)


@app.command()
def uncertain(rows: Rows = 50, output: Output = OutputFormat.TABLE) -> None:
    """The notifications whose answer from Telegram was lost: shown or not, nobody knows."""
    _show(_report(lambda reports: reports.uncertain(rows)), output)


async def link_chats(stack: Running, chats: Mapping[int, int], *, move: bool = False) -> None:
    """Link each user to a chat; a link that stands already stays. Raises ``LinkedElsewhere`` unless ``move``."""
    from services.notification import bootstrap

    async with _pool(stack.notification_dsn) as pool:
        subscriptions = bootstrap.subscriptions(pool.acquire)
        for user_id, chat_id in chats.items():
            await subscriptions.link(user_id, chat_id, move=move)


def _report(
    question: Callable[[PostgresReports], Coroutine[Any, Any, Sequence[dict[str, Any]]]],
) -> list[dict[str, Any]]:
    from cli.running import running_stack
    from services.notification import bootstrap

    async def asked() -> list[Row]:
        async with _pool(running_stack().notification_dsn) as pool:
            return list(await question(bootstrap.reports(pool.acquire)))

    return asyncio.run(asked())


def _show(rows: list[Row], output: OutputFormat) -> None:
    if output is OutputFormat.JSON:
        show_json([{name: _json(value) for name, value in row.items()} for row in rows])
    elif rows:
        show_table(tuple(rows[0]), [tuple(map(_spoken, row.values())) for row in rows])
    else:
        typer.echo("none")


def _json(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case _:
            return value


def _spoken(value: object) -> object:
    """Ids as they are typed, moments and spans of time as people read them."""
    match value:
        case bool() | None:
            return value
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}Z"
        case timedelta():
            return f"{value.total_seconds():.3f} s"
        case _:
            return str(value)


@asynccontextmanager
async def _pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    import asyncpg

    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        yield pool
