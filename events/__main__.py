"""`python -m events list` shows the catalogue, `python -m events create --bootstrap HOST:PORT` makes its topics."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from events.create import BrokersUnreachable, TopicRefused, TopicsDiffer, create_topics
from events.topics import catalogue

EXIT_OK, EXIT_ERROR, EXIT_CHECK_FAILED = 0, 1, 3


def main(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    options = _parser().parse_args(arguments)
    return _create(options) if options.command == "create" else _list()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m events", description="The topics of the platform.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="show every topic of the catalogue")
    create = commands.add_parser("create", help="make the topics that are missing; change nothing that exists")
    create.add_argument("--bootstrap", required=True, metavar="HOST:PORT[,…]", help="brokers to ask first")
    create.add_argument("--replication", type=int, metavar="N", help="copies of each partition (3, or all brokers)")
    create.add_argument("--prefix", default="", metavar="P", help="put before every name")
    return parser


def _list() -> int:
    for topic in catalogue().topics:
        _say(
            f"{topic.name}: {topic.partitions} partition(s), kept {topic.retention.days} days, key: {topic.key}; "
            f"{topic.producer} -> {', '.join(topic.consumers)}"
        )
    return EXIT_OK


def _create(options: argparse.Namespace) -> int:
    try:
        created = asyncio.run(create_topics(options.bootstrap, replication=options.replication, prefix=options.prefix))
    except TopicsDiffer as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CHECK_FAILED
    except (BrokersUnreachable, TopicRefused) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_ERROR
    for name in created:
        _say(f"created {name}")
    if not created:
        _say("every topic is there")
    return EXIT_OK


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
