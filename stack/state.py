"""What runs in a home, as its state file tells: written whole by the supervisor, read by everybody.

The file never holds a password. A reader sees an old state or a new one, never half of one. What it says of a running
stack is true only while `State.supervisor` lives.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from stack.errors import StackError
from stack.home import Home
from stack.identity import ProcessIdentity

SCHEMA = 1


class Phase(StrEnum):
    """Where the stack as a whole is."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class Status(StrEnum):
    """Where one process is."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    NEEDS_OPERATOR = "needs operator"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Kind(StrEnum):
    """What a process is to the stack. A step is done once per start and ends."""

    SERVER = "server"
    SERVICE = "service"
    STEP = "step"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """One process: where it answers, how long it took, how it fares. `seconds` is its own start, without waiting."""

    kind: Kind
    status: Status = Status.WAITING
    version: str = ""
    address: str = ""
    health: str = ""
    pids: tuple[int, ...] = ()
    seconds: float | None = None
    ready_after: float | None = None
    restarts: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The whole stack. `ports` are the listeners in use; `seconds` is the time from start to ready.

    `external`: its servers are those of others. `leftovers` are the processes of a dead supervisor that this one ended
    before it began.
    """

    phase: Phase = Phase.STOPPED
    supervisor: ProcessIdentity | None = None
    started_at: str = ""
    seconds: float | None = None
    brokers: int = 1
    external: bool = False
    leftovers: tuple[str, ...] = ()
    ports: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    error: str = ""
    processes: Mapping[str, ProcessState] = field(default_factory=dict)

    @property
    def lives(self) -> bool:
        """Whether the supervisor that wrote this is still there and at work."""
        over = self.phase in {Phase.STOPPED, Phase.FAILED}
        return not over and self.supervisor is not None and self.supervisor.living() is not None

    @property
    def stuck(self) -> tuple[str, ...]:
        """The processes that no restart can help."""
        return tuple(name for name, each in self.processes.items() if each.status is Status.NEEDS_OPERATOR)


class StateUnreadable(StackError):
    """The state file is not one of ours."""

    def __init__(self, home: Home, reason: str) -> None:
        super().__init__(f"{home.state_file} cannot be read: {reason}", cure="onelane down, then onelane up")


class StateFile:
    """The writer's side: changes come from many threads, one at a time, each written at once."""

    def __init__(self, home: Home, first: State) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._state = first
        self._write()

    @property
    def state(self) -> State:
        """The last state written."""
        return self._state

    def change(self, **facts: Any) -> None:
        """Replace facts of the whole stack."""
        self._replace(lambda state: replace(state, **facts))

    def change_process(self, name: str, **facts: Any) -> None:
        """Replace facts of one process."""
        self._replace(
            lambda state: replace(state, processes={**state.processes, name: replace(state.processes[name], **facts)})
        )

    def _replace(self, changed: Callable[[State], State]) -> None:
        with self._lock:
            self._state = changed(self._state)
            self._write()

    def _write(self) -> None:
        beside = self._home.state_file.with_suffix(".new")
        document = {"schema": SCHEMA, **asdict(self._state)}
        beside.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        beside.replace(self._home.state_file)


def read_state(home: Home) -> State:
    """The state of a home; STOPPED if it never had a stack. Raises StateUnreadable."""
    try:
        return _state(json.loads(home.state_file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return State()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateUnreadable(home, str(error)) from error


def _state(document: dict[str, Any]) -> State:
    if document.pop("schema") != SCHEMA:
        raise ValueError("written by another version of the program")
    document["phase"] = Phase(document["phase"])
    document["supervisor"] = ProcessIdentity.read(document["supervisor"])
    document["leftovers"] = tuple(document["leftovers"])
    document["ports"] = {name: tuple(numbers) for name, numbers in document["ports"].items()}
    document["processes"] = {name: _process(each) for name, each in document["processes"].items()}
    return State(**document)


def _process(document: dict[str, Any]) -> ProcessState:
    document["kind"] = Kind(document["kind"])
    document["status"] = Status(document["status"])
    document["pids"] = tuple(document["pids"])
    return ProcessState(**document)
