"""onelane notify: Who is told about their orders, and what became of the telling."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import CommandFailed, ExitCode
from cli.ids import ID_MAX
from cli.output import Output, OutputFormat, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence

    import asyncpg

    from cli.running import Running
    from services.notification.repository.subscribers import PostgresReports
    from services.notification.service.invitations import Invitation
    from services.notification.service.resending import Proposal

Row = dict[str, Any]

app = typer.Typer(no_args_is_help=True, add_completion=False)

CHAT_MAX = 2**52
"""Telegram's ids have at most 52 significant bits; groups are below zero."""

Rows = Annotated[int, typer.Option(min=1, max=10_000, envvar="ONELANE_NOTIFY_ROWS", help="Rows shown at most.")]


@app.command()
def link(
    user: Annotated[int, typer.Argument(min=1, max=ID_MAX, help="The user who is told.")],
    chat: Annotated[
        int | None,
        typer.Option(
            min=-CHAT_MAX,
            max=CHAT_MAX,
            envvar="ONELANE_CHAT",
            help="Bind this Telegram chat at once, without asking in it.",
        ),
    ] = None,
    *,
    move: Annotated[
        bool, typer.Option("--move", envvar="ONELANE_NOTIFY_MOVE", help="Move a user who is linked to another chat.")
    ] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Make a link that tells this user in the chat that opens it and confirms; or, with --chat, bind a chat at once."""
    if chat == 0:
        raise typer.BadParameter("0 is no chat: a person's id is above it, a group's below")
    row = _bind(user, chat, move=move) if chat is not None else _invite(user)
    if output is OutputFormat.JSON:
        show_json(row)
    elif chat is not None:
        typer.echo(f"user {user} is told in chat {chat}")
    else:
        typer.echo(f"{row['url']}\nworks once, until {row['expires_at']}; whoever opens it is asked to confirm")
        if row["phone"]:
            typer.echo(f"on a phone of the stand-in: {row['phone']}")


@app.command()
def subscribers(rows: Rows = 50, output: Output = OutputFormat.TABLE) -> None:
    """The newest links between users and chats."""
    _show(_report(lambda reports: reports.subscribers(rows)), output)


@app.command()
def attempts(
    order_id: Annotated[int, typer.Argument(min=1, max=ID_MAX, help="The order's id.")],
    output: Output = OutputFormat.TABLE,
) -> None:
    """What became of each status change of an order on its way to a person."""
    _show(_report(lambda reports: reports.attempts(order_id)), output)


@app.command()
def uncertain(rows: Rows = 50, output: Output = OutputFormat.TABLE) -> None:
    """The notifications whose answer from Telegram was lost: shown or not, nobody knows."""
    _show(_report(lambda reports: reports.uncertain(rows)), output)


@app.command()
def resend(
    order_id: Annotated[
        int | None, typer.Option("--order", min=1, max=ID_MAX, envvar="ONELANE_NOTIFY_ORDER", help="Only this order's.")
    ] = None,
    rows: Rows = 50,
    *,
    execute: Annotated[
        bool, typer.Option("--execute", envvar="ONELANE_NOTIFY_EXECUTE", help="Do it; otherwise it is only shown.")
    ] = False,
    reason: Annotated[
        str, typer.Option(envvar="ONELANE_NOTIFY_REASON", help="Why, for the record; needed with --execute.")
    ] = "",
    output: Output = OutputFormat.TABLE,
) -> None:
    """Tell again what may not have been told: rows whose answer was lost. Somebody may be told twice."""
    if execute and not reason.strip():
        raise CommandFailed("a resend is noted with its reason", cure='add --reason "…"', code=ExitCode.USAGE)
    proposals, done = asyncio.run(_resend(order_id, rows, reason if execute else None))
    _show([asdict(proposal) for proposal in proposals], output)
    if output is OutputFormat.TABLE and proposals:
        typer.echo(_told_of_resend(proposals, done))
    if done is not None and done < sum(proposal.sends for proposal in proposals):
        raise CommandFailed("some rows changed meanwhile and were left alone", code=ExitCode.PARTIAL)


async def _resend(order_id: int | None, rows: int, reason: str | None) -> tuple[Sequence[Proposal], int | None]:
    from cli.running import running_stack
    from services.notification import bootstrap

    async with _pool(running_stack().notification_dsn) as pool:
        resending = bootstrap.resending(pool.acquire)
        proposals = await resending.plan(order_id=order_id, rows_max=rows)
        return proposals, None if reason is None else await resending.execute(proposals, reason=reason)


def _told_of_resend(proposals: Sequence[Proposal], done: int | None) -> str:
    if done is None:
        count = sum(proposal.sends for proposal in proposals)
        return f"nothing was done: {count} of {len(proposals)} would be told again; add --execute --reason to do it"
    return f"{done} of {len(proposals)} are told again"


def _bind(user: int, chat: int, *, move: bool) -> Row:
    from cli.running import running_stack
    from services.notification.service.subscriptions import LinkedElsewhere

    try:
        asyncio.run(link_chats(running_stack(), {user: chat}, move=move))
    except LinkedElsewhere as refusal:
        raise CommandFailed(str(refusal), cure="add --move to move the link", code=ExitCode.REFUSED) from refusal
    return {"user_id": user, "chat_id": chat}


def _invite(user: int) -> Row:
    from stack import client

    access = client.running().access
    username = _bot_username(access.telegram, access.bot_token)

    async def invited() -> Invitation:
        from services.notification import bootstrap

        async with _pool(access.dsn("notification", "notification")) as pool:
            return await bootstrap.invitations(pool.acquire).invite(user)

    invitation = asyncio.run(invited())
    phone = f"{access.telegram}/?start={invitation.token}" if access.has_stand_in else None
    url = f"https://t.me/{username}?start={invitation.token}"
    return {"user_id": user, "url": url, "phone": phone, "expires_at": f"{invitation.expires_at:%H:%M:%S}Z"}


def _bot_username(telegram: str, token: str) -> str:
    """Ask Telegram who the bot is. What it answers, or whatever goes wrong, is told without the token."""
    import httpx

    try:
        answer = httpx.get(f"{telegram}/bot{token}/getMe", timeout=10, trust_env=False).json()
        return str(answer["result"]["username"])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        problem = f"the bot's name cannot be asked for ({type(error).__name__})"
        raise CommandFailed(problem, cure="see that Telegram answers, and that the token is right") from None


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
