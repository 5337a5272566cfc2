"""Keeping one unit: wait for what it needs, start it, watch it, start it again, stop it after those who need it.

One thread per unit does all of this, so a unit is never touched by two. Readers see it through `Report`.
"""

import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol, Self

from stack.backoff import Backoff
from stack.errors import StackError
from stack.state import Kind, Status
from stack.units import Interrupted, NeedsOperator, Unit

WATCH_SECONDS = 0.2
"""How often a process is looked at: the longest a crash stays unnoticed."""

FIRST_CRASHES_MAX = 3
"""How often a service may crash in its first start before the whole start is given up."""


class Report(Protocol):
    """Who wants to know."""

    def process(self, name: str, **facts: Any) -> None:
        """Facts of one process changed."""

    def settled(self) -> None:
        """A unit is ready, or will not be."""

    def failed(self, name: str, error: StackError) -> None:
        """A unit of the first start cannot be started: the stack cannot stand."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all keepers of a stack share."""

    stopping: Event
    report: Report
    began: float


class Keeper:
    """Keeps one unit from `run` to the end; `settled` and `stopped` tell the others."""

    def __init__(self, unit: Unit, shared: Shared) -> None:
        self.unit = unit
        self.name = unit.facts.name
        self.settled = Event()
        self.stopped = Event()
        self._shared = shared
        self._needs: Sequence[Self] = ()
        self._dependents: Sequence[Self] = ()
        self._backoff = Backoff(monotonic=time.monotonic)
        self._restarts = 0

    def bind(self, *, needs: Sequence[Self], dependents: Sequence[Self]) -> None:
        """Tell it whom to wait for, before a start and before a stop."""
        self._needs = needs
        self._dependents = dependents

    def thread(self) -> threading.Thread:
        """The thread that keeps it, not yet started."""
        return threading.Thread(target=self.run, name=self.name, daemon=True)

    def run(self) -> None:
        """Keep the unit until the stack stops, then stop it last-come first-gone."""
        try:
            for need in self._needs:
                need.settled.wait()
            while self._one_life():
                pass
        finally:
            self.settled.set()
            for dependent in self._dependents:
                dependent.stopped.wait()
            self._stop()

    def _one_life(self) -> bool:
        """Start, watch to the end, wait before the next; False when there is no next."""
        try:
            self._start()
            reason = self._watch()
        except NeedsOperator as said:
            return self._give_up(str(said))
        except Interrupted:
            return False
        except StackError as error:
            return self._fell(error)
        except Exception as error:  # noqa: BLE001 - whatever one unit meets, the others must be kept
            traceback.print_exc()
            return self._fell(StackError(repr(error), cure="onelane logs supervisor"))
        return self._wait_to_restart(reason)

    def _fell(self, error: StackError) -> bool:
        """Fail the whole start if that is all there is to do, else try again."""
        if not self.settled.is_set() and self._is_hopeless():
            self._shared.report.failed(self.name, error)
            return False
        return self._wait_to_restart(error.fact.partition("\n")[0])

    def _start(self) -> None:
        if self._shared.stopping.is_set():
            raise Interrupted
        began = time.monotonic()
        self._tell(status=Status.RESTARTING if self.settled.is_set() else Status.STARTING, note="")
        self._backoff.started()
        self.unit.start(self._shared.stopping)
        now = time.monotonic()
        took = {} if self.settled.is_set() else {"seconds": now - began, "ready_after": now - self._shared.began}
        self._tell(status=Status.READY, note="", **took)
        self._settle()

    def _watch(self) -> str:
        """Block until the unit ended (returns why) or the stack stops (raises Interrupted)."""
        while not self._shared.stopping.wait(WATCH_SECONDS):
            if reason := self.unit.ended():
                return reason
        raise Interrupted

    def _wait_to_restart(self, reason: str) -> bool:
        self._restarts += 1
        self._tell(status=Status.RESTARTING, note=reason, restarts=self._restarts)
        return not self._shared.stopping.wait(self._backoff.crashed())

    def _give_up(self, said: str) -> bool:
        self._tell(status=Status.NEEDS_OPERATOR, note=said)
        self._settle()
        self._shared.stopping.wait()
        return False

    def _is_hopeless(self) -> bool:
        """A server or step that fails to start fails again; a service may have met a passing trouble."""
        return self.unit.facts.kind is not Kind.SERVICE or self._backoff.crashes >= FIRST_CRASHES_MAX - 1

    def _settle(self) -> None:
        self.settled.set()
        self._shared.report.settled()

    def _stop(self) -> None:
        try:
            self._tell(status=Status.STOPPING)
            self.unit.stop()
            self._tell(status=Status.STOPPED)
        finally:
            self.stopped.set()

    def _tell(self, **facts: Any) -> None:
        self._shared.report.process(self.name, pids=self.unit.pids, **facts)
