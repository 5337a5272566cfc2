"""`python -m outbox …`: the library's own commands, with nothing of its users around.

What acts in bulk plans by default and acts with `--execute`. Exit codes: 0 done, 1 error, 2 usage, 3 check failed,
4 refused, 78 the relay needs an operator.
"""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka.errors import KafkaError

from outbox import commands, errors
from outbox.address import reached, shown, understood
from outbox.arguments import moment, topic, whole
from outbox.log_lines import FactsFormatter
from outbox.message import MAX_MESSAGE_BYTES_DEFAULT
from outbox.relay import Relay
from outbox.schema import install_sql

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_REFUSED = 4
EXIT_NEEDS_OPERATOR = 78

Command = Callable[["asyncpg.Connection[Any]", argparse.Namespace], Awaitable[int]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, return the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    _refuse_halves(parser, given)
    try:
        code: int = given.run(given)
    except errors.OperationRefused as refusal:
        sys.stderr.write(f"refused: {refusal}\n")
        return EXIT_REFUSED
    except errors.NeedsOperator as cause:
        sys.stderr.write(f"needs an operator: {cause}\n")
        return EXIT_NEEDS_OPERATOR if given.run is _run_relay else EXIT_ERROR
    except KafkaError as cause:
        sys.stderr.write(f"error: Kafka at {given.bootstrap} (--bootstrap): {cause!r}\n")
        return EXIT_ERROR
    except (errors.OutboxError, asyncpg.PostgresError, OSError, ValueError) as cause:
        sys.stderr.write(f"error: {cause}\n")
        return EXIT_ERROR
    return code


def _refuse_halves(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """End with a usage error where one flag needs another."""
    if getattr(given, "topic", None) and not given.bootstrap:
        parser.error("--topic needs --bootstrap: the topics are looked at there")
    if hasattr(given, "since"):
        _refuse_half_selections(parser, given)
    if hasattr(given, "from_seq") and (given.to == "from-seq") != (given.from_seq is not None):
        parser.error("cursor-reset from-seq --from-seq N: the two go together, and with nothing else")
    if getattr(given, "action", None) == "rebuild" and given.execute and not given.reason:
        parser.error("partitions rebuild --execute needs --reason: it is kept in outbox_audit")


def _refuse_half_selections(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    if given.key is None and given.since is None:
        parser.error("republish what? --key K [--from V --to W], or --since … --until …")
    if given.from_version > given.to_version:
        parser.error(f"--from {given.from_version} lies above --to {given.to_version}")
    if given.until is not None and (given.since is None or given.since >= given.until):
        parser.error("--until needs a --since before it")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m outbox", description="From a Postgres transaction to Kafka.")
    found = parser.add_subparsers(required=True, metavar="command")
    _add_install_sql(found.add_parser("install-sql", help="print the SQL that creates the tables"))
    _add_relay(found.add_parser("relay", help="publish what is appended, until stopped"))
    _add_looking(found)
    _add_changing(found)
    return parser


def _add_install_sql(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--writer-role", required=True, help="the application's role")
    parser.add_argument("--owner-role", help="who owns the tables; whoever runs the SQL when left out")
    parser.add_argument("--cursor", default="kafka", help="the first reader's name")
    parser.set_defaults(run=_print_install_sql)


def _add_relay(parser: argparse.ArgumentParser) -> None:
    _add_database(parser)
    _add_kafka(parser, required=True)
    parser.add_argument("--instance", default="relay-0", help="who this is among the relays of the cursor")
    parser.set_defaults(run=_run_relay)


def _add_looking(found: Any) -> None:
    _on_database(found.add_parser("status", help="how it is doing"), commands.show_status)
    _add_limit(_on_database(found.add_parser("tail", help="the last rows"), commands.show_latest))
    listing = _on_database(found.add_parser("list", help="the rows of a key"), commands.show_key)
    listing.add_argument("key")
    _add_limit(listing)
    _on_database(found.add_parser("show", help="one event"), commands.show_event).add_argument("event_id", type=UUID)
    checking = _on_database(found.add_parser("check", help="is everything as the code relies on"), commands.show_check)
    checking.add_argument("--writer-role", help="a role that must be able to append")
    _add_kafka(checking, required=False)


def _add_changing(found: Any) -> None:
    voiding = _on_database(found.add_parser("void", help="withdraw an event"), commands.do_void)
    voiding.add_argument("event_id", type=UUID)
    again = _on_database(found.add_parser("republish", help="send rows again"), commands.do_republish)
    _add_kafka(again, required=True)
    _add_selection(again)
    resetting = _on_database(found.add_parser("cursor-reset", help="choose a new position"), commands.do_reset)
    resetting.add_argument("to", choices=["keep", "now", "all", "from-seq"])
    resetting.add_argument("--from-seq", type=whole(0), help="with from-seq: the first sequence number")
    pausing = _on_database(found.add_parser("pause", help="stop publishing, keep everything"), commands.do_pause)
    resuming = _on_database(found.add_parser("resume", help="publish again"), commands.do_resume)
    for reasoned in (voiding, again, resetting, pausing, resuming):
        reasoned.add_argument("--reason", required=True, help="why; kept in outbox_audit")
    pieces = _on_database(found.add_parser("partitions", help="list them, or rebuild"), commands.do_partitions)
    pieces.add_argument("action", nargs="?", choices=["list", "rebuild"], default="list")
    pieces.add_argument("--reason", help="with rebuild --execute: why; kept in outbox_audit")
    for bulk in (again, resetting, pieces):
        bulk.add_argument("--execute", action="store_true", help="act; without it, only plan")


def _on_database(parser: argparse.ArgumentParser, command: Command) -> argparse.ArgumentParser:
    _add_database(parser)
    parser.set_defaults(run=lambda given: asyncio.run(_connected(command, given)))
    return parser


def _add_database(parser: argparse.ArgumentParser) -> None:
    known = os.environ.get("OUTBOX_DSN")
    parser.add_argument("--dsn", default=known, required=known is None, help="the tables' owner, direct [OUTBOX_DSN]")
    parser.add_argument("--name", default="kafka", help="the cursor")


def _add_kafka(parser: argparse.ArgumentParser, *, required: bool) -> None:
    known = os.environ.get("OUTBOX_BOOTSTRAP")
    needed = required and known is None
    parser.add_argument("--bootstrap", default=known, required=needed, help="Kafka, host:port,… [OUTBOX_BOOTSTRAP]")
    parser.add_argument(
        "--topic", required=required, action="append", default=[], type=topic, help="NAME or NAME:versioned"
    )
    parser.add_argument("--max-bytes", type=whole(1), default=MAX_MESSAGE_BYTES_DEFAULT, help="their max.message.bytes")
    parser.add_argument("--source", default="outbox", help="ce_source of the events")


def _add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=whole(1, 1_000_000), default=20, help="at most so many rows")


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", help="the rows of this key")
    parser.add_argument("--from", dest="from_version", type=whole(1), default=1, help="with --key: first version")
    parser.add_argument("--to", dest="to_version", type=whole(1), default=2**63 - 1, help="with --key: last version")
    parser.add_argument("--since", type=moment, help="the rows since this moment, RFC 3339")
    parser.add_argument("--until", type=moment, help="with --since: before this moment")


def _print_install_sql(given: argparse.Namespace) -> int:
    sys.stdout.write(install_sql(writer_role=given.writer_role, owner_role=given.owner_role, cursor=given.cursor))
    return EXIT_OK


def _run_relay(given: argparse.Namespace) -> int:
    _log_to_stderr()
    _spare_the_long_lived()
    asyncio.run(_relay_until_signalled(given))
    return EXIT_OK


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(FactsFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _spare_the_long_lived() -> None:
    """Let the collector leave out what start-up made, and look less often: a batch's rows are no garbage either."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _relay_until_signalled(given: argparse.Namespace) -> None:
    relay = Relay(
        dsn=given.dsn,
        bootstrap_servers=given.bootstrap,
        topics=commands.topic_rules(given),
        name=given.name,
        source=given.source,
        instance=given.instance,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, relay.request_stop)
    await relay.run()


async def _connected(command: Command, given: argparse.Namespace) -> int:
    try:
        with reached(given.dsn):
            connection = await asyncpg.connect(given.dsn, server_settings={"application_name": "outbox-operator"})
    except OSError as cause:
        raise OSError(f"no connection to {shown(given.dsn)} (--dsn): {cause}") from cause
    try:
        with understood(given.dsn):
            return await command(connection, given)
    finally:
        await connection.close()


if __name__ == "__main__":
    raise SystemExit(main())
