"""A real process: what signals do to it, what its exit code says, and where its spans go."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from stack.ports import free_port
from tests.spans import span_receiver
from tests.waiting import eventually


@dataclass
class Running:
    """A started program and what it has said so far."""

    process: asyncio.subprocess.Process
    lines: list[dict[str, Any]] = field(default_factory=list)
    stderr: str = ""

    async def says(self, event: str) -> dict[str, Any]:
        """Read until the program says this."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(json.loads(line))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        raise AssertionError(f"{event} was never said: {self.lines}")

    async def ends(self) -> int:
        """Read to the end; return the exit code."""
        async with asyncio.timeout(20):
            out, err = await self.process.communicate()
        self.lines += [json.loads(line) for line in out.splitlines()]
        self.stderr = err.decode()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[Running]:
    """Run the program; kill it in the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.chassis.program",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Running(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_process_gracefully(number: signal.Signals) -> None:
    async with program("idle") as running:
        await running.says("program.ready")

        running.process.send_signal(number)

        assert await running.ends() == 0
    assert [line["event"] for line in running.lines[-3:]] == ["service.stopping", "program.stopping", "service.stopped"]


async def test_a_loop_that_crashes_ends_the_process_with_1() -> None:
    async with program("crash") as running:
        assert await running.ends() == 1

    [line] = [line for line in running.lines if line["event"] == "service.failed"]
    assert (line["level"], line["error"], line["error_text"]) == ("error", "RuntimeError", "broken")


async def test_a_loop_that_needs_an_operator_ends_the_process_with_78_and_says_what_to_do() -> None:
    async with program("give-up") as running:
        assert await running.ends() == 78

    [line] = [line for line in running.lines if line["event"] == "service.needs_operator"]
    assert line["error_text"] == "run: onelane outbox cursor reset keep"


async def test_a_process_whose_event_loop_is_blocked_ends_all_the_same_and_shows_where() -> None:
    async with program("block") as running:
        await running.says("program.ready")

        running.process.send_signal(signal.SIGTERM)

        assert await running.ends() == 1
    assert "in block" in running.stderr


async def test_a_component_that_never_stops_cannot_hold_the_process() -> None:
    async with program("deaf") as running:
        await running.says("program.ready")

        running.process.send_signal(signal.SIGTERM)

        assert await running.ends() == 1
    [line] = [line for line in running.lines if line["event"] == "service.stop_failed"]
    assert line["component"] == "deaf"


async def test_spans_reach_the_collector_within_a_second_under_the_ids_of_the_log() -> None:
    with span_receiver() as (endpoint, spans):
        async with program("trace", endpoint) as running:
            line = await running.says("program.fact")
            [span] = await eventually(lambda: spans.of_trace(line["trace_id"]), within=5)
            running.process.send_signal(signal.SIGTERM)
            code = await running.ends()

    assert (span.name, span.process, span.span, code) == ("fact", ("program", "trace"), line["span_id"], 0)


async def test_a_collector_that_is_away_delays_the_end_by_a_few_seconds_at_most() -> None:
    async with program("trace", f"http://127.0.0.1:{free_port()}") as running:
        await running.says("program.ready")
        running.process.send_signal(signal.SIGTERM)

        assert await running.ends() == 0


async def test_a_collector_that_never_answers_delays_the_end_by_a_few_seconds_at_most() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        async with program("trace", f"http://127.0.0.1:{silent.getsockname()[1]}") as running:
            await running.says("program.ready")
            running.process.send_signal(signal.SIGTERM)

            assert await running.ends() == 0
