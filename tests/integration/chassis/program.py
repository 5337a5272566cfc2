"""A process for the tests of the chassis: `python -m tests.integration.chassis.program SCENARIO [ARGUMENT]`."""

import asyncio
import sys
import time

from opentelemetry import trace

from chassis import logs, telemetry
from chassis.lifecycle import NeedsOperator, Service, Task, run

log = logs.get_logger()


class Announcer:
    """Says when everything before it has started."""

    name = "announcer"

    async def start(self) -> None:
        """Tell."""
        log.info("program.ready")

    async def stop(self) -> None:
        """Tell."""
        log.info("program.stopping")


class Deaf:
    """Swallows its cancellation, for ever."""

    name = "deaf"

    async def start(self) -> None:
        """Start."""

    async def stop(self) -> None:
        """Never return."""
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue


async def idle() -> None:
    """Run until cancelled."""
    await asyncio.Event().wait()


async def crash() -> None:
    """Fail."""
    raise RuntimeError("broken")


async def give_up() -> None:
    """Need somebody."""
    raise NeedsOperator("run: onelane outbox cursor reset keep")


async def block() -> None:
    """Hold the event loop, as no coroutine should."""
    time.sleep(600)  # noqa: ASYNC251 - what the watchdog is for


async def trace_one_fact() -> None:
    """Make a span and say something in it."""
    with trace.get_tracer("program").start_as_current_span("fact"):
        log.info("program.fact")
    await idle()


SCENARIOS = {"idle": idle, "crash": crash, "give-up": give_up, "block": block, "trace": trace_one_fact}


def main(scenario: str, argument: str | None = None) -> int:
    """Run the scenario; return its exit code."""
    logs.configure("program", scenario)
    traces = telemetry.configure("program", scenario, argument)
    if scenario == "deaf":
        return run(Service("program", traces, Deaf(), Announcer(), stop_seconds_max=0.2, blocked_seconds_max=0.5))
    loop = Task("loop", SCENARIOS[scenario])
    bound = 0.5 if scenario == "block" else 5
    return run(Service("program", traces, loop, Announcer(), stop_seconds_max=bound, blocked_seconds_max=0.5))


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
