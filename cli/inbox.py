"""onelane inbox: What consumers have applied and what waits: look, release, discard, rewind, reset.

What moves positions plans by default and acts with ``--execute``; what changes something needs ``--reason`` and leaves
a row in the table ``inbox_audit``. Release and discard are carried out by the consumer that owns the partition.
"""

from __future__ import annotations

import asyncio
import getpass
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from cli.exits import CommandFailed, ExitCode
from cli.output import Output, OutputFormat, answers, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    import asyncpg

    from inbox.operations import Move

    Connection = asyncpg.Connection[Any]

app = typer.Typer(no_args_is_help=True, add_completion=False)

Consumer = Annotated[str, typer.Option("--consumer", envvar="ONELANE_CONSUMER", help="Who applies.")]
Topic = Annotated[str, typer.Option("--topic", envvar="ONELANE_TOPIC", help="Which topic.")]
Partition = Annotated[int | None, typer.Option(min=0, envvar="ONELANE_PARTITION", help="Only this partition.")]
Reason = Annotated[
    str, typer.Option("--reason", envvar="ONELANE_REASON", help="Why; it stays in the table inbox_audit.")
]
Execute = Annotated[bool, typer.Option("--execute", envvar="ONELANE_EXECUTE", help="Act. Without it, only plan.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, envvar="ONELANE_LIMIT", help="At most so many rows.")]
Wait = Annotated[float, typer.Option(min=0, envvar="ONELANE_WAIT", help="Seconds to wait for the consumer.")]
Dsn = Annotated[
    str, typer.Option(envvar="ONELANE_INBOX_DSN", help="The consumer's database; the running stack's if left out.")
]
Kafka = Annotated[
    str, typer.Option("--bootstrap", envvar="ONELANE_KAFKA", help="host:port,…; the running stack's if left out.")
]

CONSUMER = "notification"
TOPIC = "loms.order-events"


class ResetTo(StrEnum):
    """Where a refused position may begin anew."""

    EARLIEST = "earliest"
    LATEST = "latest"
    KEEP = "keep"


@app.command()
def status(consumer: Consumer = CONSUMER, output: Output = OutputFormat.TABLE, dsn: Dsn = "") -> None:
    """Say where every partition stands; exits 3 when something waits for a decision."""
    from inbox import operations

    rows = [asdict(held) for held in _on_database(dsn, lambda c: operations.status(c, consumer=consumer))]
    _show(rows, output, ("topic", "partition", "epoch", "next_offset", "parked_keys", "undone", "needs_reset"))
    if any(row["needs_reset"] or row["parked_keys"] for row in rows):
        raise typer.Exit(ExitCode.CHECK_FAILED)


@app.command()
def parked(
    consumer: Consumer = CONSUMER,
    key: Annotated[str | None, typer.Option(envvar="ONELANE_KEY", help="Only this key.")] = None,
    limit: Limit = 100,
    output: Output = OutputFormat.TABLE,
    dsn: Dsn = "",
) -> None:
    """Show what waits, longest waiting key first, and why."""
    from inbox import operations

    found = _on_database(dsn, lambda c: operations.parked(c, consumer=consumer, key=key, events_max=limit))
    _show(
        [asdict(event) for event in found], output, ("key", "why", "applied", "version", "event_id", "type", "reason")
    )


@app.command()
def release(  # noqa: PLR0917 - typer passes options by name
    key: str,
    reason: Reason,
    topic: Topic = TOPIC,
    consumer: Consumer = CONSUMER,
    wait: Wait = 10.0,
    dsn: Dsn = "",
) -> None:
    """Apply what is parked of a key, in order: after a mended handler, or giving missing versions up."""
    _decide("release", key=key, event_id=None, reason=reason, topic=topic, consumer=consumer, wait=wait, dsn=dsn)


@app.command()
def discard(  # noqa: PLR0917 - typer passes options by name
    key: str,
    event_id: str,
    reason: Reason,
    topic: Topic = TOPIC,
    consumer: Consumer = CONSUMER,
    wait: Wait = 10.0,
    dsn: Dsn = "",
) -> None:
    """Drop one parked event and go on behind it."""
    _decide(
        "discard", key=key, event_id=_uuid(event_id), reason=reason, topic=topic, consumer=consumer, wait=wait, dsn=dsn
    )


@app.command()
def rewind(  # noqa: PLR0917 - typer passes options by name
    reason: Reason = "",
    to_time: Annotated[datetime | None, typer.Option(help="Read again from this moment (UTC).")] = None,
    to_offset: Annotated[int | None, typer.Option(min=0, help="With --partition: from this offset.")] = None,
    partition: Partition = None,
    topic: Topic = TOPIC,
    consumer: Consumer = CONSUMER,
    execute: Execute = False,  # noqa: FBT002 - a flag of the command line
    dsn: Dsn = "",
    bootstrap: Kafka = "",
) -> None:
    """Read again from an earlier place; what was applied is recognised and not applied twice."""
    from inbox import operations

    if (to_time is None) == (to_offset is None) or (to_offset is not None and partition is None):
        raise typer.BadParameter("say --to-time, or --to-offset with --partition")
    moment = to_time.replace(tzinfo=UTC) if to_time is not None else None

    async def plan_and_act(connection: Connection, log: Any) -> list[Move]:
        moves = await operations.plan_rewind(
            connection,
            log,
            consumer=consumer,
            topic=topic,
            partition=partition,
            to_offset=to_offset,
            to_time=moment,
        )
        if execute:
            await operations.rewind(connection, moves, reason=reason, by=getpass.getuser())
        return moves

    _move(plan_and_act, reason=reason, execute=execute, dsn=dsn, bootstrap=bootstrap)


@app.command()
def reset(  # noqa: PLR0917 - typer passes options by name
    reason: Reason = "",
    to: Annotated[ResetTo, typer.Option(envvar="ONELANE_RESET_TO", help="Where to begin anew.")] = ResetTo.EARLIEST,
    partition: Partition = None,
    topic: Topic = TOPIC,
    consumer: Consumer = CONSUMER,
    execute: Execute = False,  # noqa: FBT002 - a flag of the command line
    dsn: Dsn = "",
    bootstrap: Kafka = "",
) -> None:
    """Give a position that was refused a new beginning: a topic made anew, another cluster."""
    from inbox import operations

    async def plan_and_act(connection: Connection, log: Any) -> list[Move]:
        moves = await operations.plan_reset(
            connection, log, consumer=consumer, topic=topic, partition=partition, to=to.value
        )
        if execute:
            await operations.reset(connection, moves, reason=reason, by=getpass.getuser())
        return moves

    _move(plan_and_act, reason=reason, execute=execute, dsn=dsn, bootstrap=bootstrap)


def _decide(
    action: Any, *, key: str, event_id: UUID | None, reason: str, topic: str, consumer: str, wait: float, dsn: str
) -> None:
    from inbox import operations

    async def decide(connection: Connection) -> str | None:
        number = await operations.decide(
            connection,
            action,
            consumer=consumer,
            topic=topic,
            key=key,
            event_id=event_id,
            reason=reason,
            by=getpass.getuser(),
        )
        return await operations.outcome(connection, number, wait_seconds=wait)

    outcome = _on_database(dsn, decide)
    if outcome is None:
        raise CommandFailed(
            "written down, but no consumer carried it out yet",
            cure="the owner of the partition does it as soon as it runs: onelane urls",
            code=ExitCode.PARTIAL,
        )
    if outcome.startswith("refused"):
        raise CommandFailed(outcome, code=ExitCode.REFUSED)
    answers().print(f"{action} {key}: {outcome}", markup=False)


def _move(
    plan_and_act: Callable[[Connection, Any], Awaitable[list[Move]]],
    *,
    reason: str,
    execute: bool,
    dsn: str,
    bootstrap: str,
) -> None:
    from inbox.log_reader import log_reader

    if execute and not reason:
        raise typer.BadParameter("--execute needs a --reason")

    async def with_log(connection: Connection) -> list[Move]:
        async with log_reader(bootstrap or _access().kafka) as log:
            return await plan_and_act(connection, log)

    moves = _on_database(dsn, with_log)
    if not moves:
        raise CommandFailed("nothing to move", code=ExitCode.REFUSED)
    _show([asdict(move) for move in moves], OutputFormat.TABLE, ("topic", "partition", "from_offset", "to_offset"))
    answers().print("done" if execute else "planned only · --execute does it", markup=False)


def _show(rows: Sequence[dict[str, Any]], output: OutputFormat, columns: Sequence[str]) -> None:
    if output is OutputFormat.JSON:
        show_json(rows)
    else:
        show_table(columns, [[row[column] for column in columns] for row in rows])


def _on_database(dsn: str, ask: Callable[[Connection], Awaitable[Any]]) -> Any:
    """Run one operation as the consumer's role; what it refuses ends the command with 4."""
    from inbox.errors import InboxError

    try:
        return asyncio.run(_asked(dsn, ask))
    except InboxError as refusal:
        raise CommandFailed(str(refusal), code=ExitCode.REFUSED) from refusal


async def _asked(dsn: str, ask: Callable[[Connection], Awaitable[Any]]) -> Any:
    async with _connection(dsn) as connection:
        return await ask(connection)


@asynccontextmanager
async def _connection(dsn: str) -> AsyncIterator[Connection]:
    import asyncpg

    opened = await asyncpg.connect(
        dsn or _access().dsn(CONSUMER, CONSUMER), server_settings={"application_name": "onelane-inbox"}
    )
    try:
        yield opened
    finally:
        await opened.close()


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandFailed(
            f"{text!r} is not an event id: onelane inbox parked lists them", code=ExitCode.USAGE
        ) from None


def _access() -> Any:
    from stack import client

    return client.running(None).access
