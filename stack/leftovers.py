"""Processes a dead supervisor left running: found by their records of pid and birth, ended gently, then by force."""

import contextlib
import json
import signal
from collections.abc import Iterable
from pathlib import Path

import psutil

from stack.home import Home
from stack.identity import ProcessIdentity
from stack.servers.child import await_gone, kill_tree, lives

SUPERVISOR = "supervisor"
EXIT_KEPT_BY_ANOTHER = 75
"""What a supervisor ends with when another one keeps the home (EX_TEMPFAIL of sysexits.h): look again."""

_RECORDS = "*.process"


def write_supervisor_record(home: Home, identity: ProcessIdentity) -> None:
    """Record the supervisor in the form every child has."""
    _supervisor_record(home).write_text(json.dumps(identity.written()), encoding="utf-8")


def forget_supervisor(home: Home) -> None:
    """Remove the record: the supervisor ended in order."""
    _supervisor_record(home).unlink(missing_ok=True)


def supervisor_of(home: Home) -> psutil.Process | None:
    """The living supervisor of a home."""
    identity = _read(_supervisor_record(home))
    return identity.living() if identity else None


def living_processes(home: Home) -> dict[str, psutil.Process]:
    """Living recorded processes of this home by name, the supervisor aside, services first."""
    identities = {path.stem: _read(path) for path in _records(home) if path.stem != SUPERVISOR}
    found = {name: identity.living() for name, identity in identities.items() if identity}
    return {name: process for name, process in found.items() if process}


def end_leftovers(home: Home) -> list[str]:
    """End them, services before the servers they use; returns their names. Call only while no supervisor lives."""
    found = living_processes(home)
    services = {path.stem for path in home.run.glob(_RECORDS)}
    _end([(name, process) for name, process in found.items() if name in services])
    _end([(name, process) for name, process in found.items() if name not in services])
    for path in _records(home):
        path.unlink(missing_ok=True)
    return list(found)


def _end(processes: Iterable[tuple[str, psutil.Process]]) -> None:
    asked = list(processes)
    for name, process in asked:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()
            process.send_signal(_gentle_signal(name))
    await_gone([process for _, process in asked])
    for _, process in asked:
        if lives(process):
            kill_tree(process)


def _gentle_signal(name: str) -> signal.Signals:
    """PostgreSQL waits for its clients after SIGTERM; SIGINT sends them away and ends in order."""
    return signal.SIGINT if name.startswith("postgres") else signal.SIGTERM


def _records(home: Home) -> list[Path]:
    """Services keep their records in `run`, servers in their own folders or one below (a broker of several)."""
    patterns = ((home.run, _RECORDS), (home.data, f"*/{_RECORDS}"), (home.data, f"*/*/{_RECORDS}"))
    return [path for folder, pattern in patterns for path in sorted(folder.glob(pattern))]


def _supervisor_record(home: Home) -> Path:
    return home.run / f"{SUPERVISOR}.process"


def _read(path: Path) -> ProcessIdentity | None:
    try:
        return ProcessIdentity.read(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
