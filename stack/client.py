"""What people do with the stack: bring it up, take it down, ask where it is. The command line is a face of this.

Every call looks at the home's records first, so it is right whatever was killed before it.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil

from stack.access import Access
from stack.errors import StackError
from stack.home import CHECKOUT, Home
from stack.leftovers import SUPERVISOR, end_leftovers, forget_supervisor, supervisor_of
from stack.logs import tail
from stack.processes import access_of, brokers_of
from stack.servers.child import kill_tree, lives
from stack.settings import Settings, settings_of
from stack.state import Phase, State, StateUnreadable, read_state

_LOOK_SECONDS = 0.05
_STOP_GRACE_SECONDS = 15.0

Told = Callable[[State], None]
"""Called with every new state while a call waits."""


class NotRunning(StackError):
    """The stack is asked for and is down."""

    def __init__(self, home: Home) -> None:
        super().__init__(f"the stack of {home.folder} is not running", cure="onelane up")


class StartFailed(StackError):
    """The stack could not be started; everything was stopped again."""


@dataclass(frozen=True, slots=True)
class Started:
    """What `up` did."""

    state: State
    already_running: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """What `down` did. Both empty: there was nothing to stop."""

    was_running: bool
    leftovers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Running:
    """A running stack: what it says of itself, and how to reach its parts."""

    state: State
    access: Access


def up(settings: Settings, *, told: Told = lambda _: None) -> Started:
    """Start the stack and wait until it is ready; join a start under way; say so if it runs.

    Raises StartFailed (nothing is left running), ClusterHasOtherSize. KeyboardInterrupt stops everything first.
    """
    brokers_of(settings)
    if supervisor_of(settings.home):
        return Started(_join(settings, told), already_running=True)
    supervisor = _spawn(settings)
    try:
        state = _await_running(settings.home, supervisor, told)
    except KeyboardInterrupt:
        down(settings, told=told)
        raise
    if state is None:
        return Started(_join(settings, told), already_running=True)
    return Started(state)


def down(settings: Settings, *, told: Told = lambda _: None) -> Stopped:
    """Stop everything in reverse and keep the data; also what a dead supervisor left."""
    supervisor = supervisor_of(settings.home)
    if supervisor is not None:
        supervisor.terminate()
        _await_gone(settings, supervisor, told)
    cleaned = end_leftovers(settings.home)
    return Stopped(was_running=supervisor is not None, leftovers=tuple(cleaned))


def running(environment: Mapping[str, str] | None = None) -> Running:
    """The running stack of the home the environment names. Raises NotRunning."""
    settings = settings_of(os.environ if environment is None else environment)
    state = read_state(settings.home)
    if not state.lives or state.phase is not Phase.RUNNING:
        raise NotRunning(settings.home)
    return Running(state, access_of(settings, state.ports))


def _spawn(settings: Settings) -> subprocess.Popen[bytes]:
    settings.home.make()
    with settings.home.log(SUPERVISOR).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "stack.supervisor"],
            cwd=CHECKOUT,
            env={**os.environ, **settings.environment()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await_running(home: Home, supervisor: subprocess.Popen[bytes], told: Told) -> State | None:
    """Follow the supervisor we spawned until it runs; one that ends before has said why.

    None: it ended because somebody else's, started at the same moment, keeps the home.
    """
    while True:
        ended = supervisor.poll() is not None
        state = _seen(home)
        ours = state.supervisor is not None and state.supervisor.pid == supervisor.pid
        if ours:
            told(state)
        if ours and state.phase is Phase.RUNNING and not ended:
            return state
        if ended and not ours and supervisor_of(home):
            return None
        if ended:
            raise _failed(home, state if ours else State())
        time.sleep(_LOOK_SECONDS)


def _join(settings: Settings, told: Told) -> State:
    """Follow somebody else's start to its end."""
    while (state := _seen(settings.home)).lives and state.phase is Phase.STARTING:
        told(state)
        time.sleep(_LOOK_SECONDS)
    if state.phase is not Phase.RUNNING:
        raise _failed(settings.home, state)
    return state


def _seen(home: Home) -> State:
    """The state, nothing while the file is still that of another version of the program."""
    try:
        return read_state(home)
    except StateUnreadable:
        return State()


def _failed(home: Home, state: State) -> StartFailed:
    if state.error:
        fact, _, cure = state.error.partition("\ncure: ")
        return StartFailed(fact, cure=cure)
    said = "\n".join(tail(home.log(SUPERVISOR), 12))
    return StartFailed(f"the supervisor ended during the start\n{said}".rstrip(), cure="onelane doctor")


def _await_gone(settings: Settings, supervisor: psutil.Process, told: Told) -> None:
    deadline = time.monotonic() + settings.stop_seconds_max + _STOP_GRACE_SECONDS
    while lives(supervisor):
        if time.monotonic() > deadline:
            kill_tree(supervisor)
            forget_supervisor(settings.home)
        with contextlib.suppress(StateUnreadable):  # written by another version: what it keeps is stopped all the same
            told(_seen(settings.home))
        time.sleep(_LOOK_SECONDS)
