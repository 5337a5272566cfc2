"""`python -m services.notification {migrate|consumer|sender|bot}`."""

import argparse
import sys

from chassis.config import EXIT_USAGE, BadSettings, load
from chassis.lifecycle import run
from services.notification import bootstrap
from services.notification.settings import BotSettings, ConsumerSettings, SchemaSettings, SenderSettings


def main() -> int:
    """Run one process until it is told to stop, or migrate; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.notification", description="tells people about their orders"
    )
    parser.add_argument("process", choices=["migrate", "consumer", "sender", "bot"])
    try:
        return _start(parser.parse_args().process)
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE


def _start(process: str) -> int:
    match process:
        case "migrate":
            bootstrap.migrate(load(SchemaSettings))
        case "consumer":
            return run(bootstrap.consumer(load(ConsumerSettings)))
        case "sender":
            return run(bootstrap.sender(load(SenderSettings)))
        case "bot":
            return run(bootstrap.bot(load(BotSettings)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
