"""`python -m outbox …`: the library's own commands, with nothing of its users around."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence

from outbox import errors
from outbox.message import MAX_MESSAGE_BYTES_DEFAULT, TopicRule
from outbox.relay import Relay
from outbox.schema import install_sql

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_NEEDS_OPERATOR = 78


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, return the exit code."""
    given = _parser().parse_args(arguments)
    code: int = given.run(given)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m outbox", description="From a Postgres transaction to Kafka.")
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_install_sql(commands.add_parser("install-sql", help="print the SQL that creates the tables"))
    _add_relay(commands.add_parser("relay", help="publish what is appended, until stopped"))
    return parser


def _add_install_sql(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--writer-role", required=True, help="the application's role")
    parser.add_argument("--owner-role", help="who owns the tables; whoever runs the SQL when left out")
    parser.add_argument("--cursor", default="kafka", help="the first reader's name")
    parser.set_defaults(run=_print_install_sql)


def _add_relay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dsn", required=True, help="the owner of the tables, a direct address")
    parser.add_argument("--bootstrap", required=True, help="Kafka, host:port,…")
    parser.add_argument("--topic", required=True, action="append", help="NAME or NAME:versioned; repeatable")
    parser.add_argument(
        "--max-bytes", type=int, default=MAX_MESSAGE_BYTES_DEFAULT, help="the topics' max.message.bytes"
    )
    parser.add_argument("--source", default="outbox", help="ce_source of the events")
    parser.add_argument("--name", default="kafka", help="the cursor")
    parser.add_argument("--instance", default="relay-0", help="who this is among the relays of the cursor")
    parser.set_defaults(run=_run_relay)


def _print_install_sql(given: argparse.Namespace) -> int:
    sys.stdout.write(install_sql(writer_role=given.writer_role, owner_role=given.owner_role, cursor=given.cursor))
    return EXIT_OK


def _run_relay(given: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(_relay_until_signalled(given))
    except errors.NeedsOperator as cause:
        sys.stderr.write(f"{cause}\n")
        return EXIT_NEEDS_OPERATOR
    return EXIT_OK


async def _relay_until_signalled(given: argparse.Namespace) -> None:
    relay = Relay(
        dsn=given.dsn,
        bootstrap_servers=given.bootstrap,
        topics=[_topic_rule(text, given.max_bytes) for text in given.topic],
        name=given.name,
        source=given.source,
        instance=given.instance,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, relay.request_stop)
    await relay.run()


def _topic_rule(text: str, max_bytes: int) -> TopicRule:
    name, _, kind = text.partition(":")
    return TopicRule(name, versioned=kind == "versioned", max_bytes=max_bytes)


if __name__ == "__main__":
    raise SystemExit(main())
