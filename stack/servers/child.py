"""One server process as a direct child: spawned, watched, frozen, stopped, killed with all its children.

- The child is waited for by us, so a killed one never stays a zombie that looks alive to its successor.
- A lock on the folder says that its owner lives; a record of pid and birth lets the next owner end a dead one's orphan.
- The environment is given in full: nothing of the caller's shell leaks into a server.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

from stack.errors import FolderInUse, ServerFailed

ENVIRONMENT: Mapping[str, str] = {"PATH": os.defpath, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_POLL_SECONDS = 0.01
_REAP_SECONDS_MAX = 10.0
_BIRTH_TOLERANCE_SECONDS = 2.0
_LAST_LINES = 12
_JAVA_FRAME = "\tat "


class Child:
    """A process called `name` whose lock, record and (by default) log lie in `folder`.

    `dies_with_parent` lets the kernel SIGKILL it when the *thread* that spawned it ends: right for test servers, which
    nobody would clean up; wrong for a supervisor's, which survive it and are ended by the next start.
    """

    def __init__(self, *, name: str, folder: Path, log: Path | None = None, dies_with_parent: bool = False) -> None:
        self.name = name
        self.log = log or folder / f"{name}.log"
        self._lock_path = folder / f"{name}.lock"
        self._record_path = folder / f"{name}.process"
        self._dies_with_parent = dies_with_parent
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        """Whether it was spawned and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """What it ended with, negative for a signal; None while it runs and before it ever did."""
        return self._process.poll() if self._process is not None else None

    def claim(self) -> None:
        """Take the folder: refuse if another living program has it, end what a dead one left running."""
        if self._lock is None:
            self._lock = _locked(self._lock_path, name=self.name)
        orphan = _recorded(self._record_path)
        if orphan is not None and not self.running:
            kill_tree(orphan)
        self._record_path.unlink(missing_ok=True)

    def spawn(
        self, argv: Sequence[str | Path], *, become: Sequence[str] = (), environment: Mapping[str, str] = ENVIRONMENT
    ) -> None:
        """Start the process in a session of its own, its output appended to the log.

        `become` is an argv prefix that drops privileges; it comes first, for a change of user forgets the death signal.
        """
        self.claim()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the argv is ours, no shell in between
                [*become, *self._prefix(), *map(str, argv)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        born = psutil.Process(self._process.pid).create_time()
        self._record_path.write_text(json.dumps({"pid": self._process.pid, "born": born}), encoding="utf-8")

    def await_ready(self, check: Callable[[], bool], *, seconds_max: float) -> None:
        """Block until `check` says yes; raise ServerFailed, with the end of the log, if it ends or takes too long."""
        deadline = time.monotonic() + seconds_max
        while not check():
            if not self.running:
                code = self._process.returncode if self._process is not None else None
                raise self._failure(f"ended with code {code} before it was ready")
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready after {seconds_max:.0f} s")
            time.sleep(_POLL_SECONDS)

    def stop(self, *, by: signal.Signals, seconds_max: float) -> None:
        """Ask it to end with signal `by` and wait; kill it with its children if it takes too long. Safe to repeat."""
        if self._process is not None and self.running:
            self.thaw()
            self._process.send_signal(by)
            try:
                self._process.wait(seconds_max)
            except subprocess.TimeoutExpired:
                self.kill()
        self._release()

    def kill(self) -> None:
        """SIGKILL it and all its children, and wait until none is left. Safe to repeat."""
        if self._process is not None and self.running:
            kill_tree(psutil.Process(self._process.pid), reap=self._process)
        self._release()

    def freeze(self) -> None:
        """SIGSTOP it and its children: alive to the kernel, silent to everybody."""
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def thaw(self) -> None:
        """SIGCONT what freeze stopped."""
        for process in reversed(self._family()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def _family(self) -> list[psutil.Process]:
        if self._process is None or not self.running:
            return []
        return family(psutil.Process(self._process.pid))

    def _prefix(self) -> list[str]:
        setpriv = shutil.which("setpriv")
        return [setpriv, "--pdeathsig", "KILL", "--"] if self._dies_with_parent and setpriv else []

    def _failure(self, reason: str) -> ServerFailed:
        return ServerFailed(self.name, reason, log=self.log, last_lines=last_lines(self.log))

    def _release(self) -> None:
        self._record_path.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def family(process: psutil.Process) -> list[psutil.Process]:
    """The process and its living descendants, parents first."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def kill_tree(process: psutil.Process, *, reap: subprocess.Popen[bytes] | None = None) -> None:
    """SIGKILL a process and its descendants and wait until all are gone; frozen first, so that none is born then."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.suspend()
    doomed = family(process)
    for each in doomed:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    if reap is not None:
        reap.wait(_REAP_SECONDS_MAX)
    await_gone(doomed)


def lives(process: psutil.Process) -> bool:
    """Whether it still runs: a killed one that its parent has not noticed yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def await_gone(processes: Sequence[psutil.Process]) -> None:
    """Block until no process lives."""
    deadline = time.monotonic() + _REAP_SECONDS_MAX
    while any(lives(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def last_lines(log: Path, count: int = _LAST_LINES) -> str:
    """The end of a log without the frames of Java's stack traces; empty if there is no log."""
    if not log.is_file():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join([line for line in lines if not line.startswith(_JAVA_FRAME)][-count:])


def _locked(path: Path, *, name: str) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise FolderInUse(path.parent, name=name) from None
    return lock


def _recorded(path: Path) -> psutil.Process | None:
    """The process a dead owner left running, if it is still that one and not a later one with its number."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        process = psutil.Process(int(record["pid"]))
        same = abs(process.create_time() - float(record["born"])) < _BIRTH_TOLERANCE_SECONDS
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return process if same and lives(process) else None
