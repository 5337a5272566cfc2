"""`python -m inbox …`: install the tables, look, decide. Every flag has a twin INBOX_<FLAG> in the environment.

Exit codes: 0 done · 1 error · 2 usage · 3 something waits for a decision (status) · 4 refused · 5 written down, but no
consumer carried it out in time.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
from aiokafka.errors import KafkaError

from inbox import operations
from inbox.errors import InboxError
from inbox.log_reader import log_reader
from inbox.schema import install_sql

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from inbox.log_reader import LogReader

EXIT_OK, EXIT_ERROR, EXIT_USAGE, EXIT_WAITS, EXIT_REFUSED, EXIT_NOT_CARRIED_OUT = 0, 1, 2, 3, 4, 5
_WAIT_SECONDS_MAX = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, return the exit code."""
    given = _parser().parse_args(arguments)
    try:
        code: int = given.run(given)
    except _Usage as usage:
        return _complain(usage, EXIT_USAGE)
    except InboxError as refusal:
        return _complain(refusal, EXIT_REFUSED)
    except asyncpg.UndefinedTableError as error:
        return _complain(f"{error}; make the tables: python -m inbox install-sql --app-role …", EXIT_ERROR)
    except KafkaError as error:
        return _complain(f"Kafka, --bootstrap {given.bootstrap}: {error}", EXIT_ERROR)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return _complain(f"the database, --dsn: {error or type(error).__name__}", EXIT_ERROR)
    return code


class _Usage(Exception):
    """What was given cannot be meant."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inbox", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    install = commands.add_parser("install-sql", help="print the SQL that makes the tables")
    _flag(install, "app-role", required=True, help="the role the consumer runs as")
    install.set_defaults(run=_print_install_sql)
    status = _command(commands, "status", "where every partition stands", _status)
    _flag(status, "bootstrap", help="Kafka, host:port,… to show the end of the log too")
    parked = _command(commands, "parked", "what waits, and why", _parked)
    _flag(parked, "topic")
    _flag(parked, "key")
    _flag(parked, "limit", type=_from(1), default=100)
    _add_decision(commands, "release", "apply what is parked of a key, in order")
    discard = _add_decision(commands, "discard", "drop one parked event and go on behind it")
    _flag(discard, "event-id", required=True, type=UUID)
    _add_move(commands, "rewind", "read again from an earlier place", _rewind)
    _add_move(commands, "reset", "give a refused position a new beginning", _reset)
    return parser


def _command(commands: Any, name: str, about: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about)
    _flag(parser, "dsn", required=True, help="the database with the inbox's tables")
    _flag(parser, "consumer", required=name not in {"status", "parked"})
    _flag(parser, "output", choices=["table", "json"], default="table")
    parser.set_defaults(run=run)
    return parser


def _add_decision(commands: Any, name: str, about: str) -> argparse.ArgumentParser:
    parser = _command(commands, name, about, _decide)
    parser.set_defaults(action=name, event_id=None)
    _flag(parser, "topic", required=True)
    _flag(parser, "key", required=True)
    _flag(parser, "reason", required=True)
    _flag(parser, "by", default=getpass.getuser())
    _flag(parser, "wait", type=_seconds, default=10.0, help="seconds to wait for the consumer that carries it out")
    return parser


def _add_move(commands: Any, name: str, about: str, run: Callable[[argparse.Namespace], int]) -> None:
    parser = _command(commands, name, about, run)
    _flag(parser, "bootstrap", required=True, help="Kafka, host:port,…")
    _flag(parser, "topic", required=True)
    _flag(parser, "partition", type=_from(0))
    if name == "rewind":
        _flag(parser, "to-offset", type=_from(0))
        _flag(parser, "to-time", type=_moment, help="RFC 3339, with a zone")
    else:
        _flag(parser, "to", choices=["earliest", "latest", "keep"], default="earliest")
    _flag(parser, "reason")
    _flag(parser, "by", default=getpass.getuser())
    parser.add_argument("--execute", action="store_true", help="act; otherwise only the plan is shown")


def _flag(parser: argparse.ArgumentParser, name: str, *, required: bool = False, **options: Any) -> None:
    twin = os.environ.get("INBOX_" + name.upper().replace("-", "_"))
    if twin is not None:
        options["default"] = twin
    kind = options.pop("type", _text)
    if "choices" in options:
        options["metavar"] = "{" + ",".join(options["choices"]) + "}"
        kind = _one_of(options.pop("choices"))  # argparse holds no default against choices, but gives it to the type
    parser.add_argument(f"--{name}", required=required and twin is None, type=kind, **options)


def _text(given: str) -> str:
    if not given.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return given


def _one_of(choices: Sequence[str]) -> Callable[[str], str]:
    def chosen(given: str) -> str:
        if given not in choices:
            raise argparse.ArgumentTypeError(f"{given!r} is none of {', '.join(choices)}")
        return given

    return chosen


def _from(low: int) -> Callable[[str], int]:
    def number(given: str) -> int:
        if not (given.isascii() and given.isdigit() and low <= int(given[:20]) < 2**63):
            raise argparse.ArgumentTypeError(f"{given!r} is not a whole number from {low} on")
        return int(given)

    return number


def _seconds(given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _WAIT_SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"{given!r} is no number of seconds from 0 to {_WAIT_SECONDS_MAX}")
    return seconds


def _moment(given: str) -> datetime:
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{given!r} is not RFC 3339") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("needs a zone, for example 2026-11-21T08:00:00Z")
    if moment < _EPOCH:
        raise argparse.ArgumentTypeError("lies before 1970, where no log begins")
    return moment


def _print_install_sql(given: argparse.Namespace) -> int:
    sys.stdout.write(install_sql(app_role=given.app_role))
    return EXIT_OK


def _status(given: argparse.Namespace) -> int:
    async def look() -> list[dict[str, Any]]:
        async with _database(given) as connection:
            found = await operations.status(connection, consumer=given.consumer)
        if not given.bootstrap:
            return [asdict(held) for held in found]
        async with _log(given) as log:
            return [asdict(held) | {"end_offset": (await log.bounds(held.topic, held.partition))[1]} for held in found]

    rows = asyncio.run(look())
    _print(given, rows)
    return EXIT_WAITS if any(row["needs_reset"] or row["parked_keys"] for row in rows) else EXIT_OK


def _parked(given: argparse.Namespace) -> int:
    async def look() -> list[dict[str, Any]]:
        async with _database(given) as connection:
            found = await operations.parked(
                connection, consumer=given.consumer, topic=given.topic, key=given.key, events_max=given.limit
            )
        return [asdict(event) for event in found]

    _print(given, asyncio.run(look()))
    return EXIT_OK


def _decide(given: argparse.Namespace) -> int:
    async def decide() -> str | None:
        async with _database(given) as connection:
            number = await operations.decide(
                connection,
                given.action,
                consumer=given.consumer,
                topic=given.topic,
                key=given.key,
                reason=given.reason,
                by=given.by,
                event_id=given.event_id,
            )
            return await operations.outcome(connection, number, wait_seconds=given.wait)

    outcome = asyncio.run(decide())
    if outcome is None:
        sys.stderr.write("written down; no consumer has carried it out yet, the owner of the partition will\n")
        return EXIT_NOT_CARRIED_OUT
    _print(given, [{"action": given.action, "key": given.key, "outcome": outcome}])
    if outcome.startswith("applied 0, still parked"):
        sys.stderr.write(
            "nothing was applied, the key stays parked: mend what the reason names (mostly the handler), restart the "
            "consumer and release again; or discard the first event\n"
        )
    return EXIT_REFUSED if outcome.startswith("refused") else EXIT_OK


def _rewind(given: argparse.Namespace) -> int:
    if (given.to_offset is None) == (given.to_time is None):
        return _complain("say either --to-offset (with --partition) or --to-time", EXIT_USAGE)
    if given.to_offset is not None and given.partition is None:
        return _complain("an offset belongs to one partition: say which with --partition", EXIT_USAGE)

    async def plan_and_act() -> list[operations.Move]:
        async with _database(given) as connection, _log(given) as log:
            moves = await operations.plan_rewind(
                connection,
                log,
                consumer=given.consumer,
                topic=given.topic,
                partition=given.partition,
                to_offset=given.to_offset,
                to_time=given.to_time,
            )
            if given.execute:
                await operations.rewind(connection, moves, reason=given.reason, by=given.by)
            return moves

    return _moved(given, plan_and_act)


def _reset(given: argparse.Namespace) -> int:
    async def plan_and_act() -> list[operations.Move]:
        async with _database(given) as connection, _log(given) as log:
            moves = await operations.plan_reset(
                connection, log, consumer=given.consumer, topic=given.topic, partition=given.partition, to=given.to
            )
            if given.execute:
                await operations.reset(connection, moves, reason=given.reason, by=given.by)
            return moves

    return _moved(given, plan_and_act)


def _moved(given: argparse.Namespace, plan_and_act: Callable[[], Any]) -> int:
    if given.execute and not given.reason:
        return _complain("--execute needs a --reason, which is kept in the audit table", EXIT_USAGE)
    moves = asyncio.run(plan_and_act())
    _print(given, [asdict(move) for move in moves])
    if not moves:
        return _complain("nothing to move", EXIT_REFUSED)
    if not given.execute:
        sys.stderr.write("this is the plan; add --execute --reason '…' to act\n")
    return EXIT_OK


class _database:  # noqa: N801 - reads as the verb it is: `async with _database(given)`
    """A connection for the length of a command."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._dsn = given.dsn

    async def __aenter__(self) -> asyncpg.Connection[asyncpg.Record]:
        try:
            self._connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
                self._dsn, timeout=10, command_timeout=30
            )
        except (ValueError, asyncpg.ClientConfigurationError) as error:
            raise _Usage(f"--dsn is no address of a database: {error}") from error
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()


@asynccontextmanager
async def _log(given: argparse.Namespace) -> AsyncIterator[LogReader]:
    try:
        reader = log_reader(given.bootstrap)
        log = await reader.__aenter__()
    except ValueError as error:
        raise _Usage(f"--bootstrap is no list of host:port: {error}") from error
    try:
        yield log
    finally:
        await reader.__aexit__(None, None, None)


def _print(given: argparse.Namespace, rows: Sequence[dict[str, Any]]) -> None:
    if given.output == "json":
        sys.stdout.write(json.dumps(rows, default=str, indent=2) + "\n")
        return
    if not rows:
        return
    cells = [list(rows[0]), *[[_cell(value) for value in row.values()] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")


def _cell(value: object) -> str:
    return "–" if value is None else str(value)


def _complain(text: object, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
