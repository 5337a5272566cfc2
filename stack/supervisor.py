"""`python -m stack.supervisor`: the one background process that starts the stack, keeps it and stops it.

- Started by `onelane up` in a session of its own; SIGTERM or SIGINT stops everything in reverse and keeps the data.
- It holds the home's lock as long as it lives, so two never keep one home; its children do not inherit the lock.
- What it does is in the state file; what it could not do ends there too, and nothing half-started is left behind.
"""

import fcntl
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Event
from types import FrameType
from typing import IO, Any

from stack.errors import StackError
from stack.external import keep
from stack.home import Home
from stack.identity import ProcessIdentity
from stack.keeper import Keeper, Shared
from stack.leftovers import EXIT_KEPT_BY_ANOTHER, end_leftovers, forget_supervisor, write_supervisor_record
from stack.logs import rotate_logs
from stack.port_plan import planned_ports
from stack.processes import access_of, brokers_of, listener_counts, units_of
from stack.settings import Settings, settings_of
from stack.start_order import dependents, require_startable
from stack.state import Phase, ProcessState, State, StateFile, Status
from stack.units import Interrupted, Unit

JARS_TOLD_SECONDS = 1.0
_WAKE = b"."


class AlreadySupervised(StackError):
    """Another supervisor keeps this home."""

    def __init__(self, home: Home) -> None:
        super().__init__(f"another supervisor keeps {home.folder}", cure="onelane down, or choose another ONELANE_HOME")


class Bell:
    """Wakes the main thread, from a signal handler or another thread, without taking a lock."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def ring(self, *_: object) -> None:
        """Wake it."""
        try:
            os.write(self._write, _WAKE)
        except BlockingIOError:
            return  # the pipe is full of rings nobody answered yet: one more says nothing new

    def ring_at_signals(self) -> None:
        """Wake it at every signal too, whichever thread the system hands it to: handlers run only once it is awake."""
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

    def wait(self, seconds: float | None) -> None:
        """Block until somebody rang, or the seconds are over."""
        if select.select([self._read], [], [], seconds)[0]:
            os.read(self._read, 4096)


class Supervisor:
    """Keeps `units` until told to stop. `run` returns 0 after an ordered stop, 1 after a failed start."""

    def __init__(
        self, units: Sequence[Unit], *, settings: Settings, state: StateFile, stopping: Event, began: float
    ) -> None:
        self._settings = settings
        self._state = state
        self._began = began
        self._bell = Bell()
        self._stop_asked = False
        self._failure: tuple[str, StackError] | None = None
        self._stopping = stopping
        self._keepers = self._bound(units)
        state.change(processes={unit.facts.name: _first_state(unit) for unit in units})

    def process(self, name: str, **facts: Any) -> None:
        """A keeper's report about its process."""
        self._state.change_process(name, **facts)

    def settled(self) -> None:
        """A keeper's report: one is ready, or waits for an operator."""
        self._bell.ring()

    def failed(self, name: str, error: StackError) -> None:
        """A keeper's report: the stack cannot stand."""
        self._failure = self._failure or (name, error)
        self._bell.ring()

    def ask_to_stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Stop as soon as the main thread hears it. A signal handler: takes no lock."""
        self._stop_asked = True
        self._bell.ring()

    def heed_signals(self) -> None:
        """SIGTERM and SIGINT ask it to stop."""
        self._bell.ring_at_signals()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask_to_stop)

    def run(self) -> int:
        """Start, keep, stop."""
        threads = [keeper.thread() for keeper in self._keepers]
        for thread in threads:
            thread.start()
        self._await_start()
        while not self._is_over():
            self._bell.wait(None)
        self._stop_all()
        return 1 if self._failure else 0

    def _await_start(self) -> None:
        deadline = self._began + self._settings.start_seconds_max
        while not self._is_over():
            late = [keeper.name for keeper in self._keepers if not keeper.settled.is_set()]
            if not late:
                self._state.change(phase=Phase.RUNNING, seconds=time.monotonic() - self._began)
                return
            if time.monotonic() > deadline:
                self.failed(late[0], _too_slow(late, self._settings.start_seconds_max))
            self._bell.wait(max(0.0, deadline - time.monotonic()) + 0.01)

    def _is_over(self) -> bool:
        return self._stop_asked or self._failure is not None

    def _stop_all(self) -> None:
        """Every keeper stops its own unit after those who need it; the bound is for one that hangs."""
        self._state.change(phase=Phase.STOPPING, error=self._error())
        self._stopping.set()
        deadline = time.monotonic() + self._settings.stop_seconds_max
        for keeper in self._keepers:
            keeper.stopped.wait(max(0.0, deadline - time.monotonic()))
        end_leftovers(self._settings.home)
        self._state.change(phase=Phase.FAILED if self._failure else Phase.STOPPED)

    def _error(self) -> str:
        return str(self._failure[1]) if self._failure else ""

    def _bound(self, units: Sequence[Unit]) -> list[Keeper]:
        shared = Shared(stopping=self._stopping, report=self, began=self._began)
        needs = {unit.facts.name: unit.facts.needs for unit in units}
        require_startable(needs)
        keepers = {unit.facts.name: Keeper(unit, shared) for unit in units}
        for name, after in dependents(needs).items():
            keepers[name].bind(
                needs=[keepers[need] for need in needs[name]], dependents=[keepers[other] for other in after]
            )
        return list(keepers.values())


def main() -> int:
    """Keep the home the environment names; returns the exit code."""
    began = time.monotonic()
    settings = settings_of(os.environ)
    settings.home.make()
    try:
        lock = _locked(settings.home)
    except AlreadySupervised as refusal:
        sys.stderr.write(f"{refusal}\n")
        return EXIT_KEPT_BY_ANOTHER
    with lock:
        ended = end_leftovers(settings.home)
        rotate_logs(settings.home)
        state = StateFile(settings.home, _first(settings, ended))
        write_supervisor_record(settings.home, _ourselves())
        try:
            return _supervise(settings, state, began)
        except StackError as error:
            state.change(phase=Phase.FAILED, error=str(error))
            return 1
        finally:
            forget_supervisor(settings.home)


def _supervise(settings: Settings, state: StateFile, began: float) -> int:
    ports = planned_ports(settings, listener_counts(settings))
    if settings.external:
        keep(settings.home, settings.external)
    state.change(ports=ports, external=settings.external is not None)
    stopping = Event()
    units = units_of(settings, access_of(settings, ports), on_jars=_jars_told(state, stopping))
    supervisor = Supervisor(units, settings=settings, state=state, stopping=stopping, began=began)
    supervisor.heed_signals()
    return supervisor.run()


def _first(settings: Settings, ended: Sequence[str]) -> State:
    return State(
        phase=Phase.STARTING,
        supervisor=_ourselves(),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251 - for people to read, decides nothing
        brokers=brokers_of(settings),
        leftovers=tuple(ended),
    )


def _first_state(unit: Unit) -> ProcessState:
    facts = unit.facts
    return ProcessState(
        kind=facts.kind, status=Status.WAITING, version=facts.version, address=facts.address, health=facts.health
    )


def _ourselves() -> ProcessIdentity:
    identity = ProcessIdentity.of(os.getpid())
    if identity is None:
        raise StackError("the system does not tell when this process was born", cure="mount /proc")
    return identity


def _jars_told(state: StateFile, stopping: Event) -> Callable[[int, int], None]:
    """Tell once a second how many jars are there; a stop ends the fetching."""
    next_telling = time.monotonic() + JARS_TOLD_SECONDS

    def told(ready: int, all_of_them: int) -> None:
        nonlocal next_telling
        if stopping.is_set():
            raise Interrupted
        if time.monotonic() >= next_telling:
            next_telling = time.monotonic() + JARS_TOLD_SECONDS
            state.change_process("kafka", note=f"fetched {ready} of {all_of_them} jars")

    return told


def _too_slow(late: Sequence[str], seconds: float) -> StackError:
    return StackError(
        f"not ready after {seconds:.0f} s: {', '.join(late)}",
        cure="read their logs (onelane logs <process>), or allow more with ONELANE_START_SECONDS_MAX",
    )


def _locked(home: Home) -> IO[str]:
    lock = home.lock_file.open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise AlreadySupervised(home) from None
    return lock


if __name__ == "__main__":
    sys.exit(main())
