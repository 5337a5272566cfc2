"""What the supervisor keeps, in one shape: servers, service processes, and steps done once.

All methods of a unit are called from the one thread that keeps it; only `pids` may be read from others.
"""

import contextlib
import http.client
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from stack.errors import ServerFailed, StackError
from stack.fingerprint import Marker
from stack.servers import Kafka, Server
from stack.servers.child import Child, last_lines
from stack.state import Kind

EXIT_NEEDS_OPERATOR = 78
"""What a process ends with when no restart can help it (EX_CONFIG of sysexits.h)."""

_POLL_SECONDS = 0.03
_ASK_SECONDS_MAX = 1.0
_GIVE_UP_SECONDS_MAX = 2.0


class NeedsOperator(Exception):
    """The process said that no restart can help it; carries the end of its log."""


class Interrupted(Exception):
    """The stack is to stop: the start was given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a unit before it runs. `needs` are the names of units that must be ready first."""

    name: str
    kind: Kind
    needs: frozenset[str] = frozenset()
    version: str = ""
    address: str = ""
    health: str = ""


class Unit(Protocol):
    """One thing the supervisor keeps."""

    facts: Facts

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes of it that run."""

    def start(self, stopping: Event) -> None:
        """Block until it is ready; raises StackError, NeedsOperator, or Interrupted soon after `stopping` is set."""

    def ended(self) -> str:
        """Why it no longer runs as it should; empty while it does. Raises NeedsOperator."""

    def stop(self) -> None:
        """End it in order. Safe to repeat, and before a start."""


class ServerUnit:
    """A server with one process."""

    def __init__(self, server: Server, *, address: str, needs: frozenset[str] = frozenset()) -> None:
        self._server = server
        self.facts = Facts(name=server.name, kind=Kind.SERVER, needs=needs, version=server.version, address=address)

    @property
    def pids(self) -> tuple[int, ...]:
        """Its process, if it runs."""
        return (self._server.pid,) if self._server.pid is not None else ()

    def start(self, stopping: Event) -> None:
        """Start the server; not given up half-way, its own bound applies."""
        _unless(stopping)
        self._server.start()

    def ended(self) -> str:
        """A server never asks for an operator by its exit code."""
        return "" if self._server.pid is not None else "ended"

    def stop(self) -> None:
        """Stop the server."""
        self._server.stop()


class KafkaUnit:
    """A cluster: it ended when any broker did, and starting it again starts those that are missing."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._all = frozenset(kafka.logs)
        self.facts = Facts(name=kafka.name, kind=Kind.SERVER, version=kafka.version, address=kafka.bootstrap)

    @property
    def pids(self) -> tuple[int, ...]:
        """The brokers that run."""
        return tuple(self._kafka.pids.values())

    def start(self, stopping: Event) -> None:
        """Start every broker, or the only one that is missing; a start given up ends those that are not ready."""
        _unless(stopping)
        try:
            with _ended_when(stopping, lambda: self.pids):
                self._start()
        except StackError:
            _unless(stopping)
            raise

    def _start(self) -> None:
        missing = self._missing()
        if len(missing) == 1 < len(self._all):
            self._kafka.start_broker(*missing)
        else:
            self._kafka.start()

    def ended(self) -> str:
        """Which brokers are missing."""
        missing = self._missing()
        return f"broker {', '.join(map(str, sorted(missing)))} ended" if missing else ""

    def stop(self) -> None:
        """Stop all brokers."""
        self._kafka.stop()

    def _missing(self) -> frozenset[int]:
        return self._all - self._kafka.pids.keys()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process of ours: what to run, with which environment, where its record and its log lie."""

    argv: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    log: Path


class ServiceUnit:
    """A service process: ready when its /readyz answers 200."""

    def __init__(
        self, facts: Facts, command: Command, *, ready_seconds_max: float = 60.0, stop_seconds_max: float = 15.0
    ) -> None:
        self.facts = facts
        self.command = command
        self._ready_seconds_max = ready_seconds_max
        self._stop_seconds_max = stop_seconds_max
        self._child = Child(name=facts.name, folder=command.folder, log=command.log)

    @property
    def pids(self) -> tuple[int, ...]:
        """Its process, if it runs."""
        return (self._child.pid,) if self._child.pid is not None else ()

    def start(self, stopping: Event) -> None:
        """Start the process and ask until it is ready."""
        _unless(stopping)
        self._child.spawn(self.command.argv, environment=self.command.environment)
        try:
            self._await_ready(stopping)
        except (ServerFailed, Interrupted):
            self.stop()
            self._refuse_restart()
            raise

    def ended(self) -> str:
        """How the process ended."""
        if self._child.running:
            return ""
        self._refuse_restart()
        return _ending(self._child.exit_code)

    def stop(self) -> None:
        """Ask the process to end, by SIGTERM."""
        self._child.stop(by=signal.SIGTERM, seconds_max=self._stop_seconds_max)

    def _await_ready(self, stopping: Event) -> None:
        _await(
            self._child,
            lambda: is_ready(self.facts.health),
            stopping,
            goal="ready",
            seconds_max=self._ready_seconds_max,
        )

    def _refuse_restart(self) -> None:
        if self._child.exit_code == EXIT_NEEDS_OPERATOR:
            raise NeedsOperator(last_lines(self.command.log, 1) or "it said nothing")


class StepUnit:
    """A command that prepares something and ends with 0; skipped while its marker says it was done."""

    def __init__(
        self, facts: Facts, command: Command, *, marker: Marker, fingerprint: str, seconds_max: float = 120.0
    ) -> None:
        self.facts = facts
        self.command = command
        self._marker = marker
        self._fingerprint = fingerprint
        self._seconds_max = seconds_max
        self._child = Child(name=facts.name, folder=command.folder, log=command.log)

    @property
    def pids(self) -> tuple[int, ...]:
        """Its process, while it works."""
        return (self._child.pid,) if self._child.pid is not None else ()

    def start(self, stopping: Event) -> None:
        """Do the step, unless it was done."""
        _unless(stopping)
        if self._marker.says(self._fingerprint):
            return
        self._child.spawn(self.command.argv, environment=self.command.environment)
        try:
            _await(self._child, self._is_done, stopping, goal="done", seconds_max=self._seconds_max)
        finally:
            self.stop()
        self._marker.write(self._fingerprint)

    def ended(self) -> str:
        """A step that was done stays done."""
        return ""

    def stop(self) -> None:
        """Interrupt the step, if it still works."""
        self._child.stop(by=signal.SIGTERM, seconds_max=_ASK_SECONDS_MAX)

    def _is_done(self) -> bool:
        return self._child.exit_code == 0


def is_ready(health: str) -> bool:
    """Whether the process with this health address answers /readyz with 200."""
    connection = http.client.HTTPConnection(health, timeout=_ASK_SECONDS_MAX)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _await(child: Child, check: Callable[[], bool], stopping: Event, *, goal: str, seconds_max: float) -> None:
    deadline = time.monotonic() + seconds_max
    while not check():
        if not child.running and not check():
            raise _failed(child, f"{_ending(child.exit_code)} before it was {goal}")
        if time.monotonic() > deadline:
            raise _failed(child, f"was not {goal} after {seconds_max:.0f} s")
        if stopping.wait(_POLL_SECONDS):
            raise Interrupted


def _failed(child: Child, reason: str) -> ServerFailed:
    return ServerFailed(child.name, reason, log=child.log, last_lines=last_lines(child.log))


def _ending(code: Any) -> str:
    if isinstance(code, int) and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"


@contextlib.contextmanager
def _ended_when(stopping: Event, pids: Callable[[], Sequence[int]]) -> Iterator[None]:
    """End the processes of a start that blocks inside, those to come too, once `stopping` is set: its wait then fails.

    Asked first, killed when that takes too long. A start that came to its end in time is left alone.
    """
    over = Event()

    def watch() -> None:
        asked: dict[int, float] = {}
        while not over.wait(_POLL_SECONDS):
            for pid in pids() if stopping.is_set() else ():
                since = asked.get(pid)
                if since is None or time.monotonic() > since + _GIVE_UP_SECONDS_MAX:
                    asked.setdefault(pid, time.monotonic())
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGTERM if since is None else signal.SIGKILL)

    watcher = threading.Thread(target=watch, name="give-up", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _unless(stopping: Event) -> None:
    if stopping.is_set():
        raise Interrupted
