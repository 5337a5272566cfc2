"""`python -m services.loms {migrate|seed|api|relay}`."""

import argparse
import asyncio
import sys

from chassis.config import EXIT_USAGE, BadSettings, load
from chassis.lifecycle import EXIT_NEEDS_OPERATOR, NeedsOperator, run
from services.loms import bootstrap
from services.loms.settings import ApiSettings, RelaySettings, SchemaSettings


def main() -> int:
    """Run one process of LOMS until it is told to stop, or one command until it is done; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.loms", description="orders and stock")
    parser.add_argument("process", choices=["migrate", "seed", "api", "relay"])
    try:
        return _start(parser.parse_args().process)
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    except NeedsOperator as error:
        sys.stderr.write(f"cannot start: {error}\n")
        return EXIT_NEEDS_OPERATOR


def _start(process: str) -> int:
    match process:
        case "migrate":
            bootstrap.migrate(load(SchemaSettings))
        case "seed":
            asyncio.run(bootstrap.seed(load(SchemaSettings)))
        case "api":
            return run(bootstrap.api(load(ApiSettings)))
        case "relay":
            return run(bootstrap.relay(load(RelaySettings)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
