"""`make chaos`: a run on servers of its own; its last line is the verdict, 1 is returned unless it is green.

`python -m tests.chaos [--minutes N] [--seed N] [--brokers 1|3] [--control PB-07|PB-12] [--pause SECONDS]
[--faults NAME NAME …]`.
"""

import argparse
import asyncio
import logging
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from stack.home import home_of
from stack.ports import free_port
from stack.servers import Kafka, Postgres
from tests.chaos.actor import CONTROLS
from tests.chaos.faults import FAULTS
from tests.chaos.runner import CONTROL_PATIENCE_SECONDS, PATIENCE_SECONDS, Outcome, Run
from tests.chaos.scene import scene
from tests.chaos.schedule import steps


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, tell, return the exit code."""
    given = _parser().parse_args(arguments)
    logging.disable()  # what libraries say about servers that die here is no news
    folder = home_of(os.environ).folder / "chaos" / f"{given.seed}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "crew").mkdir(parents=True)
    _tell(
        f"chaos: seed {given.seed}, {given.minutes:g} minutes, {given.brokers} brokers; logs and histories in {folder}"
    )
    _tell(f"chaos: the same again: make chaos MINUTES={given.minutes:g} BROKERS={given.brokers} SEED={given.seed}")
    outcome = asyncio.run(_run(given, folder))
    if outcome.green:
        shutil.rmtree(folder, ignore_errors=True)
    _tell(str(outcome))
    return 0 if outcome.green else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Faults against outbox and inbox.")
    parser.add_argument("--minutes", type=float, default=10.0, help="no new fault after so long")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="decides what strikes and when")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    parser.add_argument("--control", choices=CONTROLS, default="", help="plant a mistake; must end red")
    parser.add_argument("--pause", type=float, default=0.1, help="mean seconds between two attempts of a client's hand")
    parser.add_argument("--faults", nargs="+", choices=tuple(FAULTS), default=tuple(FAULTS), help="only these strike")
    return parser


async def _run(given: argparse.Namespace, folder: Path) -> Outcome:
    postgres = Postgres(folder / "postgres", free_port(), dies_with_parent=True)
    kafka = Kafka(folder / "kafka", given.brokers, dies_with_parent=True)
    patience_seconds = CONTROL_PATIENCE_SECONDS if given.control else PATIENCE_SECONDS
    try:
        postgres.start()
        kafka.start()
        at = scene(folder / "crew", postgres, kafka, seed=given.seed, control=given.control, pause_seconds=given.pause)
        async with at as made:
            until = time.monotonic() + given.minutes * 60
            return await Run(made, tell=_tell, patience_seconds=patience_seconds).play(
                steps(given.seed, given.faults), until=until
            )
    finally:
        postgres.kill()
        kafka.kill()


def _tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
