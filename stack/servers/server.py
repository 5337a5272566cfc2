"""What every server of the stack can do, and the part of it that servers of one process share."""

import abc
import signal
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from stack.ports import require_free
from stack.servers.child import Child


class Server(abc.ABC):
    """A real server on one folder. Every method may be called at any time and twice, by one thread at a time."""

    name: str

    @property
    @abc.abstractmethod
    def version(self) -> str:
        """The version of what runs."""

    @property
    @abc.abstractmethod
    def pid(self) -> int | None:
        """The process id while it runs (of several processes: the first)."""

    @abc.abstractmethod
    def start(self) -> None:
        """Start it if it does not run; returns when it answers.

        Works on the folder of a run that was killed. Raises a StackError and leaves nothing half-started.
        """

    @abc.abstractmethod
    def stop(self) -> None:
        """Stop it gracefully, or kill it when that takes too long; data stays."""

    @abc.abstractmethod
    def kill(self) -> None:
        """SIGKILL it with all its children, and wait until none is left."""

    @abc.abstractmethod
    def freeze(self) -> None:
        """SIGSTOP it with all its children: alive to the kernel, silent to everybody."""

    @abc.abstractmethod
    def thaw(self) -> None:
        """SIGCONT what freeze stopped."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


class SingleServer(Server):
    """A server of one process (whose children it may have) listening on one port of loopback."""

    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        name: str,
        log: Path | None = None,
        port_setting: str | None = None,
        dies_with_parent: bool = False,
        start_seconds_max: float = 60.0,
        stop_seconds_max: float = 30.0,
    ) -> None:
        self.name = name
        self.folder = folder
        self.port = port
        self._port_setting = port_setting or f"the port of {name}"
        self._start_seconds_max = start_seconds_max
        self._stop_seconds_max = stop_seconds_max
        self._child = Child(name=name, folder=folder, log=log, dies_with_parent=dies_with_parent)

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid

    @property
    def log(self) -> Path:
        """Where the server writes what it has to say."""
        return self._child.log

    def start(self) -> None:
        """As Server.start."""
        if self._child.running:
            return
        try:
            self._child.claim()
            self._clean()
            require_free(self.port, self._port_setting)
            self._spawn()
            self._child.await_ready(self._answers, seconds_max=self._start_seconds_max)
        except BaseException:
            self._child.kill()
            raise

    def stop(self) -> None:
        """As Server.stop."""
        self._child.stop(by=self.stop_signal, seconds_max=self._stop_seconds_max)

    def kill(self) -> None:
        """As Server.kill."""
        self._child.kill()

    def freeze(self) -> None:
        """As Server.freeze."""
        self._child.freeze()

    def thaw(self) -> None:
        """As Server.thaw."""
        self._child.thaw()

    def _clean(self) -> None:
        """End and remove what a killed run left; by default the child's own record suffices."""

    @abc.abstractmethod
    def _spawn(self) -> None:
        """Write what the process reads, and spawn it."""

    @abc.abstractmethod
    def _answers(self) -> bool:
        """Whether the server answers a question that only a ready one does; must not block for more than a second."""
