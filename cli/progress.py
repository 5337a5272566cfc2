"""Waiting in sight: a live line on a terminal, one plain line per event elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from stack.state import Phase, Status

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.status import Status as Spinner

    from stack.state import ProcessState, State


class _Progress:
    """Tells on a console how a stack changes; use as a context manager around the wait."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spinner: Spinner | None = None
        self._said: dict[str, str] = {}

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._spinner = self._console.status("")
            self._spinner.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._spinner is not None:
            self._spinner.stop()

    def told(self, state: State) -> None:
        """Say what is new in this state."""
        for name, line in self.lines(state).items():
            if self._said.get(name) != line:
                self._said[name] = line
                self._console.print(line, markup=False)
        if self._spinner is not None:
            self._spinner.update(self.summary(state))

    def said(self, line: str) -> None:
        """Say a line of its own, at once."""
        self._console.print(line, markup=False)

    def lines(self, state: State) -> dict[str, str]:
        """The last event of each process that is worth a line of its own."""
        raise NotImplementedError

    def summary(self, state: State) -> str:
        """What is being waited for."""
        raise NotImplementedError


class StartProgress(_Progress):
    """A start: who is ready after how long, who is awaited."""

    def lines(self, state: State) -> dict[str, str]:
        """Ready, in trouble, or fetching; nothing of it matters in a stack that stops."""
        if state.phase is Phase.STOPPING:
            return {}
        return {name: line for name, each in state.processes.items() if (line := _start_line(name, each))}

    def summary(self, state: State) -> str:
        """The processes under way, with their notes; in a stack that stops, those still there."""
        if state.phase is Phase.STOPPING:
            return _stopping(state)
        awaited = {name: each for name, each in state.processes.items() if each.status is Status.STARTING}
        return "starting " + ", ".join(f"{name} ({each.note})" if each.note else name for name, each in awaited.items())


class StopProgress(_Progress):
    """A stop: who is still there."""

    def lines(self, _state: State) -> dict[str, str]:
        """Ends are not worth a line each."""
        return {}

    def summary(self, state: State) -> str:
        """The processes not yet gone."""
        return _stopping(state)


def _stopping(state: State) -> str:
    return "stopping " + ", ".join(name for name, each in state.processes.items() if each.status is not Status.STOPPED)


def _start_line(name: str, process: ProcessState) -> str:
    match process.status:
        case Status.READY:
            return f"{name} ready after {process.ready_after or 0:.1f} s"
        case Status.NEEDS_OPERATOR | Status.RESTARTING:
            return f"{name}: {process.status}: {process.note}"
        case _:
            return f"{name}: {process.note}" if process.note else ""
