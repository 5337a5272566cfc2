"""onelane outbox: Messages on their way to Kafka: look, check, void, republish, pause, reset.

What acts in bulk plans by default and acts with ``--execute``; what changes something needs ``--reason`` and leaves
a row in the table ``outbox_audit``.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import CommandFailed, ExitCode
from cli.outbox_views import counts, event_document, show_events, show_status, status_document
from cli.output import Output, OutputFormat, answers, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    import asyncpg

    from outbox import TopicRule

    Connection = asyncpg.Connection[Any]

app = typer.Typer(no_args_is_help=True, add_completion=False)

PRODUCER = "loms"
WRITER_ROLE = "loms"

Reason = Annotated[
    str, typer.Option("--reason", envvar="ONELANE_REASON", help="Why; it stays in the table outbox_audit.")
]
Execute = Annotated[bool, typer.Option("--execute", envvar="ONELANE_EXECUTE", help="Act. Without it, only plan.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, envvar="ONELANE_LIMIT", help="At most so many rows.")]


class ResetChoice(StrEnum):
    """Where a cursor may be reset to."""

    KEEP = "keep"
    NOW = "now"
    ALL = "all"
    FROM_SEQ = "from-seq"


class PartitionsAction(StrEnum):
    """What to do with the partitions."""

    LIST = "list"
    REBUILD = "rebuild"


@app.command()
def status(output: Output = OutputFormat.TABLE) -> None:
    """Say how the outbox is doing: what waits, who serves, what is kept."""
    from outbox.operations.status import status as read

    now = _on_database(read)
    if output is OutputFormat.JSON:
        show_json(status_document(now))
    else:
        show_status(now)


@app.command()
def tail(limit: Limit = 20, output: Output = OutputFormat.TABLE) -> None:
    """Show the last rows written."""
    from outbox.operations import look

    show_events(_on_database(lambda connection: look.latest(connection, limit=limit)), output)


@app.command(name="list")
def list_(key: str, limit: Limit = 1_000, output: Output = OutputFormat.TABLE) -> None:
    """Show the rows of one key, in order."""
    from outbox.operations import look

    show_events(_on_database(lambda connection: look.of_key(connection, key, limit=limit)), output)


@app.command()
def show(event_id: str, output: Output = OutputFormat.TABLE) -> None:
    """Show everything about one event."""
    from outbox.operations import look

    event = _on_database(lambda connection: look.of_id(connection, _uuid(event_id)))
    if output is OutputFormat.JSON:
        show_json(event_document(event))
    else:
        show_table(("", "value"), event_document(event).items())


@app.command()
def void(event_id: str, reason: Reason) -> None:
    """Withdraw an event that was not sent yet: a record without a body goes out in its place."""
    from outbox.operations.void import void as withdraw

    _on_database(lambda connection: withdraw(connection, _uuid(event_id), reason=reason))
    answers().print(f"void {event_id}", markup=False)


@app.command()
def pause(reason: Reason) -> None:
    """Stop publishing; rows wait, the lease is kept, nothing is lost."""
    from outbox.operations.pause import pause as stop

    _on_database(lambda connection: stop(connection, reason=reason))
    answers().print("paused; onelane outbox resume --reason … goes on", markup=False)


@app.command()
def resume(reason: Reason) -> None:
    """Publish again."""
    from outbox.operations.pause import resume as go_on

    _on_database(lambda connection: go_on(connection, reason=reason))
    answers().print("resumed", markup=False)


@app.command()
def republish(  # noqa: PLR0917 - typer passes options by name
    reason: Reason,
    key: Annotated[str | None, typer.Option(help="The rows of this key.")] = None,
    from_version: Annotated[int, typer.Option("--from", min=1, help="With --key: the first version.")] = 1,
    to_version: Annotated[int, typer.Option("--to", min=1, help="With --key: the last version.")] = 2**63 - 1,
    since: Annotated[datetime | None, typer.Option(help="The rows since this moment (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="With --since: before this moment (UTC).")] = None,
    topic: Annotated[str | None, typer.Option(help="Only this topic.")] = None,
    execute: Execute = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Send rows again that were sent before: for a consumer's gap, or after a broker lost its tail."""
    from outbox.operations.republish import Selection, plan_republish
    from outbox.operations.republish import republish as send_again

    selection = Selection(
        key=key,
        from_version=from_version,
        to_version=to_version,
        since=_utc(since),
        until=_utc(until),
        topics=None if topic is None else (topic,),
    )
    if not execute:
        planned = _on_database(lambda connection: plan_republish(connection, selection))
        answers().print(f"would send again: {counts(planned)} · --execute sends", markup=False)
        return

    async def send(connection: Connection) -> Mapping[str, int]:
        publisher = _publisher()
        try:
            return await send_again(connection, publisher, selection, reason=reason)
        finally:
            await publisher.discard()

    answers().print(f"sent again: {counts(_on_database(send))}", markup=False)


@app.command()
def partitions(
    action: Annotated[PartitionsAction, typer.Argument(help="List them, or rebuild.")] = PartitionsAction.LIST,
    reason: Annotated[str, typer.Option(help="With rebuild --execute: why; kept in the audit table.")] = "",
    execute: Execute = False,  # noqa: FBT002 - a flag of the command line
    output: Output = OutputFormat.TABLE,
) -> None:
    """List the partitions; or make them anew around the current xid after a restore, before services start."""
    if action is PartitionsAction.REBUILD:
        _rebuild(reason, execute=execute)
        return
    from outbox.operations.layout import read_layout

    layout = _on_database(read_layout)
    named = [(piece.name, piece.lower, piece.upper, "") for piece in layout.ranges]
    named += [(piece.name, piece.lower, piece.upper, "overflow") for piece in (layout.near, layout.far) if piece]
    named += [(piece.name, piece.lower, piece.upper, "detach pending") for piece in layout.pending]
    columns = ("partition", "from_xid", "to_xid", "note")
    if output is OutputFormat.JSON:
        show_json([dict(zip(columns, row, strict=True)) for row in named])
    else:
        show_table(columns, named)


cursor = typer.Typer(no_args_is_help=True, help="The relay's position.")
app.add_typer(cursor, name="cursor")


@cursor.command()
def reset(
    to: ResetChoice,
    reason: Reason,
    from_seq: Annotated[int, typer.Option(min=0, help="With from-seq: the first sequence number.")] = 0,
    execute: Execute = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Choose a new position: keep (after pg_upgrade), now, all, from-seq."""
    from outbox.operations import reset as resetting

    where = resetting.ResetTo(to.value)
    plan = _on_database(lambda connection: resetting.plan_reset(connection, where, from_seq=from_seq))
    answers().print(
        f"cursor {plan.cursor} ({plan.state}, epoch {plan.epoch}) to {plan.to}: {plan.rows_to_send} rows to send",
        markup=False,
    )
    if execute:
        epoch = _on_database(lambda connection: resetting.reset(connection, plan, reason=reason))
        answers().print(f"reset; epoch {epoch}", markup=False)
    else:
        answers().print("planned only · --execute does it", markup=False)


@app.command()
def check(output: Output = OutputFormat.TABLE) -> None:
    """Hold table, partitions, cursor, roles and topics against what the code relies on; exits with 3 on a finding."""
    from outbox.operations.check import check as look
    from outbox.operations.check_topics import check_topics

    findings = _on_database(lambda connection: look(connection, writer_role=WRITER_ROLE))
    findings += asyncio.run(check_topics(_access().kafka, _rules()))
    rows = [(finding.severity.value, finding.subject, finding.fact, finding.cure) for finding in findings]
    columns = ("severity", "subject", "fact", "cure")
    if output is OutputFormat.JSON:
        show_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif rows:
        show_table(columns, rows)
    else:
        answers().print("everything is as the code relies on", markup=False)
    if rows:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _rebuild(reason: str, *, execute: bool) -> None:
    from outbox.rebuild import plan_rebuild, rebuild

    plan = _on_database(plan_rebuild)
    needed = "needed" if plan.needed else "not needed"
    answers().print(f"rebuild {needed}: current xid {plan.current_xid}, {plan.rows} rows", markup=False)
    if plan.needed and execute:
        taken = _on_database(lambda connection: rebuild(connection, reason=reason))
        answers().print(f"rebuilt, {taken} rows taken over; now reset the cursor", markup=False)
    elif plan.needed:
        answers().print("planned only · --execute does it, with the services stopped", markup=False)


def _on_database(ask: Callable[[Connection], Awaitable[Any]]) -> Any:
    """Run one operation on the owner's connection; what it refuses ends the command with 4."""
    from outbox import errors

    try:
        return asyncio.run(_asked(ask))
    except errors.OperationRefused as refusal:
        raise CommandFailed(str(refusal), code=ExitCode.REFUSED) from refusal
    except errors.OutboxError as failure:
        raise CommandFailed(str(failure)) from failure


async def _asked(ask: Callable[[Connection], Awaitable[Any]]) -> Any:
    async with _connection() as connection:
        return await ask(connection)


@asynccontextmanager
async def _connection() -> AsyncIterator[Connection]:
    import asyncpg

    opened = await asyncpg.connect(
        _access().dsn("loms_owner", "loms"), server_settings={"application_name": "onelane-outbox"}
    )
    try:
        yield opened
    finally:
        await opened.close()


def _access() -> Any:
    from stack import client

    return client.running().access


def _rules() -> list[TopicRule]:
    from events.topics import catalogue
    from outbox import TopicRule

    return [
        TopicRule(topic.name, versioned=topic.versioned, max_bytes=topic.max_message_bytes)
        for topic in catalogue().topics
        if topic.producer == PRODUCER
    ]


def _publisher() -> Any:
    from outbox.kafka import KafkaPublisher

    return KafkaPublisher(
        bootstrap_servers=_access().kafka, topics=_rules(), source=PRODUCER, client_id="onelane-republish"
    )


def _uuid(text: str) -> Any:
    from uuid import UUID

    try:
        return UUID(text)
    except ValueError as error:
        raise CommandFailed(f"{text!r} is no event id", code=ExitCode.USAGE) from error


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
