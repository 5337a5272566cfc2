"""The commands of the stack itself: up, down, reset, logs, urls, doctor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import CommandFailed, ExitCode
from cli.output import Output, OutputFormat, answers, notes, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from stack.settings import Settings
    from stack.state import State

Brokers = Annotated[
    int | None,
    typer.Option(
        "--brokers",
        envvar="ONELANE_BROKERS",
        min=1,
        max=5,
        help="Kafka brokers; default: as the data was made, else 1.",
    ),
]
ServersOnly = Annotated[
    bool,
    typer.Option(
        "--servers-only", envvar="ONELANE_SERVERS_ONLY", help="Only the servers, to run the services yourself."
    ),
]
Pooler = Annotated[
    bool,
    typer.Option("--pooler", envvar="ONELANE_POOLER", help="A pgbouncer before the database of LOMS."),
]
External = Annotated[
    bool,
    typer.Option(
        "--external",
        envvar="ONELANE_EXTERNAL",
        help="Use PostgreSQL, Kafka and Valkey that run already: ONELANE_EXTERNAL_… say where.",
    ),
]
Execute = Annotated[bool, typer.Option("--execute", envvar="ONELANE_EXECUTE", help="Do it; without it only the plan.")]
ShowSecrets = Annotated[
    bool, typer.Option("--show-secrets", envvar="ONELANE_SHOW_SECRETS", help="Print passwords in addresses.")
]
Follow = Annotated[
    bool, typer.Option("--follow", "-f", envvar="ONELANE_LOGS_FOLLOW", help="Go on with what is written from now on.")
]
Lines = Annotated[
    int, typer.Option("--lines", "-n", envvar="ONELANE_LOGS_LINES", min=1, max=10_000, help="Lines from each end.")
]


def mount(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (up, down, reset, logs, urls, doctor):
        app.command()(command)


def up(
    brokers: Brokers = None,
    *,
    servers_only: ServersOnly = False,
    pooler: Pooler = False,
    external: External = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Start the stack in the background and wait until it is ready."""
    bring_up(brokers=brokers, servers_only=servers_only, pooler=pooler, external=external, output=output)


def bring_up(
    *,
    brokers: int | None = None,
    servers_only: bool = False,
    pooler: bool = False,
    external: bool = False,
    output: OutputFormat = OutputFormat.TABLE,
) -> None:
    """Start the stack unless it runs, and show it; exits with PARTIAL when a process needs an operator."""
    from cli.progress import StartProgress
    from stack import client

    settings = _settings(brokers=brokers, servers_only=servers_only, pooler=pooler, external=external)
    with StartProgress(notes()) as progress:
        started = client.up(settings, told=progress.told, said=progress.said)
    if not started.already_running:
        _note_leftovers(started.state.leftovers)
    _show_started(started.state, already_running=started.already_running, output=output)
    if started.state.stuck:
        raise typer.Exit(ExitCode.PARTIAL)


def down(output: Output = OutputFormat.TABLE) -> None:
    """Stop everything in reverse; the data stays."""
    from cli.progress import StopProgress
    from stack import client

    with StopProgress(notes()) as progress:
        stopped = client.down(_settings(), told=progress.told)
    _note_leftovers(stopped.leftovers)
    if output is OutputFormat.JSON:
        show_json({"was_running": stopped.was_running, "leftovers": list(stopped.leftovers)})
    else:
        answers().print("stopped; the data is kept" if stopped.was_running else "nothing was running")


def reset(*, execute: Execute = False, output: Output = OutputFormat.TABLE) -> None:
    """Stop the stack and delete its data, logs and passwords. Plans by default."""
    from stack import client
    from stack.reset import delete, doomed

    settings = _settings()
    plan = doomed(settings.home)
    if execute:
        client.down(settings)
        delete(settings.home)
    if output is OutputFormat.JSON:
        show_json({"executed": execute, "delete": [{"path": str(path), "bytes": size} for path, size in plan]})
        return
    _show_reset(plan, execute=execute)


def logs(
    process: Annotated[str | None, typer.Argument(help="One process; without it all of them.")] = None,
    *,
    follow: Follow = False,
    lines: Lines = 20,
) -> None:
    """Show what the processes say."""
    from stack import logs as written

    home = _settings().home
    found = {log.stem: log for log in sorted(home.logs.glob("*.log"))}
    if process is not None and process not in found:
        names = ", ".join(found) or "none yet"
        raise CommandFailed(f"there is no log of {process!r}", cure=f"logs: {names}", code=ExitCode.USAGE)

    def chosen() -> dict[str, Path]:
        return {log.stem: log for log in sorted(home.logs.glob("*.log")) if process in {None, log.stem}}

    for name, log in chosen().items():
        _say_lines(name, written.tail(log, lines), alone=process is not None)
    if follow:
        for name, line in written.follow(chosen, until=lambda: False):
            _say_lines(name, [line], alone=process is not None)


def urls(*, show_secrets: ShowSecrets = False, output: Output = OutputFormat.TABLE) -> None:
    """Every address of the running stack."""
    from stack import client
    from stack.places import places

    running = client.running()
    found = places(running.state, running.access)
    shown = {place.name: (place.secret or place.address) if show_secrets else place.address for place in found}
    if output is OutputFormat.JSON:
        listed = [{"name": place.name, "address": shown[place.name], "about": place.about} for place in found]
        show_json({"urls": listed, "needs_operator": list(running.state.stuck)})
        return
    show_table(("name", "address", "what"), [(place.name, shown[place.name], place.about) for place in found])
    _note_stuck(running.state)


def doctor(*, external: External = False, output: Output = OutputFormat.TABLE) -> None:
    """Look at all the stack needs, of this machine and of servers others run; exit code 3 when something is wrong."""
    from stack.doctor import examine

    findings = examine(_settings(external=external))
    if output is OutputFormat.JSON:
        listed = [
            {"name": each.name, "ok": each.ok, "found": each.detail, "cure": "" if each.ok else each.cure}
            for each in findings
        ]
        show_json({"findings": listed})
    else:
        rows = [
            (each.name, "ok" if each.ok else "WRONG", each.detail, "" if each.ok else each.cure) for each in findings
        ]
        show_table(("what", "", "found", "cure"), rows)
    if not all(each.ok for each in findings):
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _settings(
    *, brokers: int | None = None, servers_only: bool = False, pooler: bool = False, external: bool = False
) -> Settings:
    from stack.settings import settings_of

    flags = {
        "ONELANE_BROKERS": str(brokers) if brokers else "",
        "ONELANE_SERVERS_ONLY": "1" if servers_only else "",
        "ONELANE_POOLER": "1" if pooler else "",
        "ONELANE_EXTERNAL": "1" if external else "",
    }
    return settings_of({**os.environ, **{name: value for name, value in flags.items() if value}})


def _show_started(state: State, *, already_running: bool, output: OutputFormat) -> None:
    if output is OutputFormat.JSON:
        processes = [
            {
                "name": name,
                "kind": each.kind,
                "status": each.status,
                "version": each.version,
                "address": each.address,
                "health": each.health,
                "seconds": each.seconds,
                "restarts": each.restarts,
                "note": each.note,
            }
            for name, each in state.processes.items()
        ]
        show_json({"already_running": already_running, "seconds": state.seconds, "processes": processes})
        return
    show_table(
        ("process", "version", "address", "seconds", "status"),
        [
            (name, each.version, each.address or each.health, each.seconds, each.status)
            for name, each in state.processes.items()
        ],
    )
    said = "already running" if already_running else f"ready in {state.seconds or 0:.1f} s"
    answers().print(f"{said} · onelane urls: the addresses · onelane down: stop, keep the data")
    _note_stuck(state)


def _show_reset(plan: Iterable[tuple[Path, int]], *, execute: bool) -> None:
    rows = [(str(path), f"{size / (1 << 20):,.1f} MiB") for path, size in plan]
    if not rows:
        answers().print("there is nothing to delete")
        return
    show_table(("deleted" if execute else "would be deleted", "size"), rows)
    if not execute:
        answers().print("nothing was changed: this is the plan. Do it: onelane reset --execute")


def _note_leftovers(names: Iterable[str]) -> None:
    if listed := ", ".join(names):
        notes().print(f"ended what a dead supervisor had left: {listed}", style="yellow")


def _note_stuck(state: State) -> None:
    for name in state.stuck:
        notes().print(f"{name} needs an operator: {state.processes[name].note}", style="red", markup=False)


def _say_lines(name: str, lines: Iterable[str], *, alone: bool) -> None:
    for line in lines:
        typer.echo(line if alone else f"{name} | {line}")
