"""`python -m services.cart {migrate|api}`."""

import argparse
import sys

from chassis.config import EXIT_USAGE, BadSettings, load
from chassis.lifecycle import run
from services.cart import bootstrap
from services.cart.settings import ApiSettings, SchemaSettings


def main() -> int:
    """Run the process until it is told to stop, or one command until it is done; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.cart", description="a basket that becomes an order")
    parser.add_argument("process", choices=["migrate", "api"])
    try:
        return _start(parser.parse_args().process)
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE


def _start(process: str) -> int:
    match process:
        case "migrate":
            bootstrap.migrate(load(SchemaSettings))
        case "api":
            return run(bootstrap.api(load(ApiSettings)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
