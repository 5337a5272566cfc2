"""What is wrong with this machine or this stack, looked at one by one, each with its cure.

The preconditions of any stack come first, then what concerns this home: its ports and leftovers while it is down, its
processes while it is up.
"""

from collections.abc import Iterator

from stack.errors import StackError
from stack.external import kept
from stack.external_look import look
from stack.leftovers import living_processes, supervisor_of
from stack.passwords import passwords_of
from stack.port_plan import planned_ports
from stack.preconditions import Finding, preconditions
from stack.processes import listener_counts
from stack.settings import Settings
from stack.state import State, read_state


def examine(settings: Settings) -> list[Finding]:
    """Look at everything, also when something is wrong; starts nothing."""
    running = read_state(settings.home) if supervisor_of(settings.home) else None
    external = kept(settings.home) if running and running.external else settings.external
    findings = preconditions(settings.home.folder, pooler=settings.pooler, external=external)
    findings.append(_passwords(settings))
    if external:
        findings += look(external)
    if running:
        return [*findings, *_processes(running)]
    return [*findings, _ports(settings), _leftovers(settings)]


def _passwords(settings: Settings) -> Finding:
    try:
        passwords_of(settings.home)
    except StackError as error:
        return Finding("passwords", ok=False, detail=error.fact, cure=error.cure)
    return Finding("passwords", ok=True, detail=str(settings.home.passwords_file))


def _ports(settings: Settings) -> Finding:
    try:
        plan = planned_ports(settings, listener_counts(settings))
    except StackError as error:
        return Finding("ports", ok=False, detail=error.fact, cure=error.cure)
    return Finding("ports", ok=True, detail="free: " + " ".join(str(port) for each in plan.values() for port in each))


def _leftovers(settings: Settings) -> Finding:
    found = living_processes(settings.home)
    if not found:
        return Finding("leftovers", ok=True, detail="none")
    named = ", ".join(f"{name} (pid {process.pid})" for name, process in found.items())
    return Finding("leftovers", ok=False, detail=f"a dead supervisor left {named}", cure="onelane down ends them")


def _processes(state: State) -> Iterator[Finding]:
    yield Finding("stack", ok=True, detail=f"{state.phase}, {len(state.processes)} processes")
    for name in state.stuck:
        detail = f"needs an operator: {state.processes[name].note}"
        yield Finding(name, ok=False, detail=detail, cure=f"onelane logs {name}; then onelane down and onelane up")
