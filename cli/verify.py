"""onelane verify: Reconcile orders, outbox, Kafka, ledger and Telegram: lost? doubled? out of order?"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.exits import CommandFailed, ExitCode
from cli.output import Output, OutputFormat, answers, notes, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cli.running import Running
    from verification.reconcile import Places
    from verification.report import Finding, Report, Tally

app = typer.Typer(add_completion=False)

TOPIC: Final = "loms.order-events"
CONSUMER: Final = "notification"
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_EVERYTHING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOLD_MAX: Final = 20


@app.command()
def verify(
    since: Annotated[
        str,
        typer.Option(envvar="ONELANE_VERIFY_SINCE", help="How far back: 30m, 1h, 2d, a moment (RFC 3339), or all."),
    ] = "1h",
    settle: Annotated[
        float,
        typer.Option(min=0, max=600, envvar="ONELANE_VERIFY_SETTLE", help="Seconds to wait for what is on its way."),
    ] = 10.0,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Hold every status change of a window against each place it must have come to; exits with 3 on a fault."""
    from cli.running import running_stack

    asked = window(since)
    report = asyncio.run(_reconciled(places_of(running_stack()), asked, settle))
    if output is OutputFormat.JSON:
        show_json(report.as_json())
    else:
        _show(report)
    if not report.ok:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def places_of(stack: Running) -> Places:
    """Where the witnesses of a running stack are, with the role that only reads."""
    from verification.reconcile import Places

    return Places(
        orders_dsn=stack.loms_reader_dsn,
        notification_dsn=stack.notification_reader_dsn,
        bootstrap_servers=stack.kafka_bootstrap,
        telegram_url=stack.telegram_url,
        topic=TOPIC,
        consumer=CONSUMER,
    )


def window(since: str) -> datetime | timedelta:
    """Read `--since`; a moment without an offset is taken as UTC."""
    if since == "all":
        return _EVERYTHING
    if ago := _AGO.fullmatch(since):
        return timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(since)
    except ValueError as error:
        cure = "--since takes 30m, 1h, 2d, a moment as 2026-11-21T08:00:00Z, or all"
        raise CommandFailed(f"{since!r} is no window", cure=cure, code=ExitCode.USAGE) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _reconciled(places: Places, since: datetime | timedelta, settle_seconds: float) -> Report:
    from verification.reconcile import reconcile
    from verification.witnesses.away import WitnessAway

    status = notes().status("reading")
    with status:
        try:
            return await reconcile(
                places, since=since, settle_seconds=settle_seconds, told=lambda what: status.update(f"reading: {what}")
            )
        except WitnessAway as away:
            raise CommandFailed(str(away), cure="onelane urls shows what should answer where") from away


def _show(report: Report) -> None:
    columns = ("witness", "rows", "matched", "missing", "extra", "out of order", "")
    show_table(columns, [_row(name, tally, report) for name, tally in report.tallies.named()])
    console = answers()
    for line in _remarks(report):
        console.print(line, markup=False, style="dim")
    for finding in report.findings[:_TOLD_MAX]:
        console.print(_told(finding), markup=False)
    hidden = sum(report.counts.values()) - min(len(report.findings), _TOLD_MAX)
    if hidden:
        console.print(f"… and {hidden:,} more: onelane verify --output json", markup=False)
    console.print(_verdict(report), markup=False, style="green" if report.ok else "red")


def _row(name: str, tally: Tally, report: Report) -> tuple[object, ...]:
    if name == "telegram" and not report.telegram_asked:
        return (name, None, None, None, None, None, "not asked")
    if name == "outbox":
        shown = (tally.missing or None, tally.extra or None, tally.out_of_order or None)
        return (name, tally.rows, None, *shown, "")
    return (name, tally.rows, tally.matched, tally.missing, tally.extra, tally.out_of_order, _waiting(name, report))


def _waiting(name: str, report: Report) -> str:
    from verification.report import Kind

    waiting = {"notification": Kind.PARKED, "telegram": Kind.UNCERTAIN}.get(name)
    count = report.counts.get(waiting, 0) if waiting else 0
    return f"{count:,} {waiting}" if count else ""


def _remarks(report: Report) -> Iterable[str]:
    begin = "the beginning" if report.since == _EVERYTHING else f"{report.since:%Y-%m-%d %H:%M:%SZ}"
    yield f"window  {begin} to {report.until:%Y-%m-%d %H:%M:%SZ}, read in {report.seconds:.1f} s"
    if report.tallies.repeats:
        causes = ", ".join(f"{count:,} {cause}" for cause, count in sorted(report.repeats.items()))
        yield f"repeats {report.tallies.repeats:,} records came again, consumers skip them: {causes}"
    if report.tallies.unjudged:
        yield f"old     {report.tallies.unjudged:,} records are older than what the outbox still keeps: not judged"
    for lacking in report.lacking:
        yield f"lacking {lacking}"


def _told(finding: Finding) -> str:
    where = "" if finding.order_id is None else f" order {finding.order_id} version {finding.version}:"
    return f"{finding.invariant} {finding.kind}:{where} {finding.text}  → {finding.next_command}"


def _verdict(report: Report) -> str:
    from verification.report import ATTENTION

    broken = {kind: count for kind, count in report.counts.items() if kind not in ATTENTION}
    if broken:
        return "FAILED: " + ", ".join(f"{count:,} {kind}" for kind, count in sorted(broken.items()))
    waiting = [f"{count:,} {kind}" for kind, count in sorted(report.counts.items())]
    return "nothing lost, doubled or out of order" + (f" · {', '.join(waiting)}" if waiting else "")
