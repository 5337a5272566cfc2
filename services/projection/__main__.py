"""`python -m services.projection view`."""

import argparse
import sys

from chassis.config import EXIT_USAGE, BadSettings, load
from chassis.lifecycle import run
from services.projection import bootstrap
from services.projection.settings import ViewSettings


def main() -> int:
    """Run the process until it is told to stop; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.projection", description="a live view of the orders")
    parser.add_argument("process", choices=["view"])
    parser.parse_args()
    try:
        return run(bootstrap.view(load(ViewSettings)))
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE


if __name__ == "__main__":
    raise SystemExit(main())
