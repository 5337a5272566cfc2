"""onelane demo: Something to watch: realistic orders, and the messages arriving.

``run`` starts the stack when it is not running, lets customers shop, and sums up what a newcomer should know;
``orders`` only lets them shop. Both count what was committed at four witnesses and end when the four agree.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from cli.demo_run import Outcome

CUSTOMERS = 50
COUNT_MAX = 1_000_000
RATE_MAX = 2_000.0

app = typer.Typer(no_args_is_help=True, add_completion=False)

Count = Annotated[
    int, typer.Option(min=1, max=COUNT_MAX, envvar="ONELANE_DEMO_COUNT", help="How many orders are placed.")
]
Rate = Annotated[
    float, typer.Option(min=0.1, max=RATE_MAX, envvar="ONELANE_DEMO_RATE", help="Orders started per second.")
]
Seed = Annotated[int, typer.Option(envvar="ONELANE_DEMO_SEED", help="The same seed, the same errands.")]
Patience = Annotated[
    float,
    typer.Option(
        min=1,
        envvar="ONELANE_DEMO_CONVERGE_SECONDS",
        help="How long the counters may take to agree at the end.",
    ),
]


@app.command()
def run(count: Count = 100, rate: Rate = 25.0, seed: Seed = 1, converge_seconds: Patience = 180.0) -> None:
    """Start the stack if needed, place orders, show the messages arriving, sum up. The stack keeps running."""
    from cli import demo_summary, stack_commands

    begin = monotonic()
    stack_commands.bring_up()
    outcome = _shop(count, rate, seed, converge_seconds)
    demo_summary.show(outcome, seconds=monotonic() - begin)
    _end(outcome)


@app.command()
def orders(count: Count = 1000, rate: Rate = 50.0, seed: Seed = 1, converge_seconds: Patience = 180.0) -> None:
    """Place orders on the running stack and wait until all four counters agree."""
    _end(_shop(count, rate, seed, converge_seconds))


def _shop(count: int, rate: float, seed: int, converge_seconds: float) -> Outcome:
    from cli.demo_run import Plan, demonstrate
    from cli.running import running_stack

    plan = Plan(count=count, customers=CUSTOMERS, per_second=rate, seed=seed, converge_seconds=converge_seconds)
    return asyncio.run(demonstrate(running_stack(), plan))


def _end(outcome: Outcome) -> None:
    typer.echo(outcome.closing_line)
    if not outcome.counters.equal:
        raise CommandFailed(
            "the four counters do not agree yet",
            cure="onelane verify --since 1h says what is missing where; onelane logs shows why",
            code=ExitCode.CHECK_FAILED,
        )
