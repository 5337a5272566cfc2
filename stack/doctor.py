"""What the stack needs of this machine, looked at one by one, each with its cure."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError
from stack.java import java
from stack.kafka_jars import locked_jars, maven_cache
from stack.leftovers import leftovers, supervisor_of
from stack.passwords import passwords_of
from stack.port_plan import planned_ports
from stack.processes import listener_counts
from stack.servers.ordinary_user import ordinary_user
from stack.servers.postgres_files import binaries
from stack.settings import Settings
from stack.state import Phase, State, read_state

PYTHON_MIN = (3, 11)
FREE_BYTES_MIN = 2 << 30
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One precondition: `fact` is what was found, `cure` what helps; without a cure it holds."""

    name: str
    fact: str
    cure: str = ""

    @property
    def ok(self) -> bool:
        """Whether it holds."""
        return not self.cure


def examine(settings: Settings) -> list[Finding]:
    """Look at everything, also when something is wrong."""
    checks: dict[str, Callable[[Settings], Finding]] = {
        "python": _python,
        "disk": _disk,
        "postgres": _postgres,
        "java": _java,
        "jars": _jars,
        "user": _user,
        "home": _home,
    }
    findings = [_looked(name, check, settings) for name, check in checks.items()]
    if supervisor_of(settings.home):
        return [*findings, *_processes(read_state(settings.home))]
    return [*findings, _looked("ports", _ports, settings), _leftovers(settings)]


def _looked(name: str, check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return check(settings)
    except StackError as error:
        return Finding(name, error.fact, error.cure)


def _python(_: Settings) -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < PYTHON_MIN
    return Finding("python", found, "install Python 3.11 or newer: make PYTHON=/path/to/it setup" if old else "")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(_existing(settings.home.folder)).free
    cure = f"free {FREE_BYTES_MIN / _GIB:.0f} GiB, or put ONELANE_HOME on another disk" if free < FREE_BYTES_MIN else ""
    return Finding("disk", f"{free / _GIB:.1f} GiB free", cure)


def _postgres(_: Settings) -> Finding:
    return Finding("postgres", f"programs in {binaries()}")


def _java(_: Settings) -> Finding:
    found = java()
    return Finding("java", f"{found.major} in {found.path}")


def _jars(_: Settings) -> Finding:
    locked = locked_jars()
    have = sum(path.is_file() for path in (maven_cache() / jar.place for jar in locked))
    later = "" if have == len(locked) else ": the first start fetches the others"
    return Finding("jars", f"{have} of {len(locked)} in {maven_cache()}{later}")


def _user(_: Settings) -> Finding:
    user = ordinary_user()
    return Finding("user", f"root; PostgreSQL runs as uid {user.uid}" if user.uid is not None else "an ordinary one")


def _home(settings: Settings) -> Finding:
    settings.home.make()
    passwords_of(settings.home)
    return Finding("home", str(settings.home.folder))


def _ports(settings: Settings) -> Finding:
    plan = planned_ports(settings, listener_counts(settings))
    return Finding("ports", "free: " + " ".join(str(port) for ports in plan.values() for port in ports))


def _leftovers(settings: Settings) -> Finding:
    found = leftovers(settings.home)
    if not found:
        return Finding("leftovers", "none")
    named = ", ".join(f"{name} (pid {process.pid})" for name, process in found.items())
    return Finding("leftovers", f"a dead supervisor left {named}", "onelane down ends them")


def _processes(state: State) -> Iterator[Finding]:
    yield Finding("stack", f"{state.phase}, {len(state.processes)} processes")
    for name in state.stuck:
        said = state.processes[name].note
        yield Finding(name, f"needs an operator: {said}", f"onelane logs {name}; then onelane down and onelane up")
    if state.phase is Phase.FAILED:
        yield Finding("stack", state.error, "onelane down")


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())
