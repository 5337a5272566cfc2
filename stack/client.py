"""What people do with the stack: bring it up, take it down, ask where it is. The command line is a face of this.

Every call looks at the home's records first, so it is right whatever was killed before it.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import chain, repeat

import psutil

from stack.access import Access
from stack.errors import StackError
from stack.external import kept
from stack.external_look import ExternalUnusable, look
from stack.home import CHECKOUT, Home
from stack.interrupts import Interrupts, counted
from stack.leftovers import EXIT_KEPT_BY_ANOTHER, SUPERVISOR, end_leftovers, forget_supervisor, supervisor_of
from stack.logs import tail
from stack.processes import access_of, brokers_of
from stack.servers.child import kill_tree, lives
from stack.settings import Settings, settings_of
from stack.state import Phase, State, StateUnreadable, read_state

_LOOK_SECONDS = 0.05
_STOP_GRACE_SECONDS = 15.0

Told = Callable[[State], None]
"""Called with every new state while a call waits."""

Said = Callable[[str], None]
"""Called with a line for the person who waits."""


class NotRunning(StackError):
    """The stack is asked for and is down."""

    def __init__(self, home: Home) -> None:
        super().__init__(f"the stack of {home.folder} is not running", cure="onelane up")


class StartFailed(StackError):
    """The stack could not be started; everything was stopped again."""


class StillStopping(StackError):
    """The supervisor that keeps the home does not come to its end."""

    def __init__(self, home: Home) -> None:
        super().__init__(
            f"the supervisor of {home.folder} is stopping and does not end", cure="onelane down, then onelane up"
        )


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


def up(settings: Settings, *, told: Told = lambda _: None, said: Said = lambda _: None) -> Started:
    """Start the stack and wait until it is ready; join a start under way; say so if it runs.

    One that is stopping is waited for, and started again when it is gone; so is one whose start somebody else began and
    did not finish: a failure is always that of a start of our own.
    Raises StartFailed (nothing is left running), ExternalUnusable, StillStopping, ClusterHasOtherSize. Ctrl-C during a
    start of our own stops everything, however often it is pressed, and then raises KeyboardInterrupt.
    """
    brokers_of(settings)
    deadline = time.monotonic() + settings.start_seconds_max + _stop_seconds_max(settings)
    while time.monotonic() < deadline:
        supervisor = supervisor_of(settings.home)
        if supervisor is None:
            if (state := _start(settings, told, said)) is not None:
                return Started(state)
        elif (state := _join(settings, supervisor, told, said)) is not None:
            return Started(state, already_running=True)
    raise StillStopping(settings.home)


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
    external = kept(settings.home) if state.external else None
    return Running(state, access_of(replace(settings, external=external), state.ports))


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


def _start(settings: Settings, told: Told, said: Said) -> State | None:
    """Start with a supervisor of our own; None: somebody else's, started at the same moment, keeps the home."""
    if settings.external and (wrong := [each for each in look(settings.external) if not each.ok]):
        raise ExternalUnusable(wrong)
    with counted() as interrupts:
        supervisor = _spawn(settings)
        state = _await_running(settings.home, supervisor, told, interrupts)
        if interrupts.pressed:
            _give_up(settings, supervisor, told, _answering(interrupts, said))
            raise KeyboardInterrupt
        return state


def _await_running(
    home: Home, supervisor: "subprocess.Popen[bytes]", told: Told, interrupts: Interrupts
) -> State | None:
    """Follow the supervisor we spawned until it runs; one that ends before has said why.

    None: it found the home kept by another, or Ctrl-C was pressed.
    """
    last = State()  # of ours: the file may be a successor's before we see that ours ended
    while not interrupts.pressed:
        code = supervisor.poll()
        state = _seen(home)
        if state.supervisor is not None and state.supervisor.pid == supervisor.pid:
            last = state
            told(last)
        if code is None and last.phase is Phase.RUNNING:
            return last
        if code == EXIT_KEPT_BY_ANOTHER:
            return None
        if code is not None:
            raise _failed(home, last)
        time.sleep(_LOOK_SECONDS)
    return None


def _give_up(settings: Settings, supervisor: "subprocess.Popen[bytes]", told: Told, answer: Callable[[], None]) -> None:
    """Stop the supervisor we spawned, even one that has not written its record, and all it started."""

    def followed(state: State) -> None:
        answer()
        told(state)

    answer()
    if supervisor.poll() is None:
        supervisor.terminate()
        _await_gone(settings, psutil.Process(supervisor.pid), followed)
    if supervisor_of(settings.home) is None:
        end_leftovers(settings.home)


def _answering(interrupts: Interrupts, said: Said) -> Callable[[], None]:
    """Answer each Ctrl-C with a line: the first that it was heard, every other that the stop goes on."""
    lines = chain(["stopping; the data is kept"], repeat("still stopping…"))

    def answer() -> None:
        if interrupts.heard():
            said(next(lines))

    return answer


def _join(settings: Settings, supervisor: psutil.Process, told: Told, said: Said) -> State | None:
    """Follow somebody else's start to its end; None: it ended or was ended, and the supervisor is gone."""
    while (state := read_state(settings.home)).lives and state.phase is Phase.STARTING:
        told(state)
        time.sleep(_LOOK_SECONDS)
    if state.lives and state.phase is Phase.RUNNING:
        return state
    said("the stack is stopping; it is started when it is gone")
    deadline = time.monotonic() + _stop_seconds_max(settings)
    while lives(supervisor):
        if time.monotonic() > deadline:
            raise StillStopping(settings.home)
        told(_seen(settings.home))
        time.sleep(_LOOK_SECONDS)
    return None


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
    if state.phase in {Phase.STOPPING, Phase.STOPPED} and state.supervisor is not None:
        return StartFailed("the stack was stopped while it started", cure="onelane up")
    end = "\n".join(tail(home.log(SUPERVISOR), 12))
    return StartFailed(f"the supervisor ended during the start\n{end}".rstrip(), cure="onelane doctor")


def _await_gone(settings: Settings, supervisor: psutil.Process, told: Told) -> None:
    deadline = time.monotonic() + _stop_seconds_max(settings)
    while lives(supervisor):
        if time.monotonic() > deadline:
            kill_tree(supervisor)
            forget_supervisor(settings.home)
        with contextlib.suppress(StateUnreadable):  # written by another version: what it keeps is stopped all the same
            told(_seen(settings.home))
        time.sleep(_LOOK_SECONDS)


def _stop_seconds_max(settings: Settings) -> float:
    """How long a stop may take, seen from outside."""
    return settings.stop_seconds_max + _STOP_GRACE_SECONDS
