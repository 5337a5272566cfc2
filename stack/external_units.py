"""Servers of others among the units: ready when they can be used, never stopped, never started again."""

from collections.abc import Iterator
from threading import Event

from stack.errors import StackError
from stack.external import External
from stack.external_look import ExternalServer, external_servers
from stack.state import Kind
from stack.units import Facts, Interrupted


class ExternalUnit:
    """One of them, under the name ours would have, so that others can need it."""

    def __init__(self, server: ExternalServer) -> None:
        self._server = server
        self.facts = Facts(name=server.name, kind=Kind.SERVER, version="external", address=server.shown)

    @property
    def pids(self) -> tuple[int, ...]:
        """None of its processes is ours."""
        return ()

    def start(self, stopping: Event) -> None:
        """Ask whether it can be used; raises StackError with what it answered."""
        if stopping.is_set():
            raise Interrupted
        finding = self._server.look()
        if not finding.ok:
            raise StackError(finding.detail, cure=finding.cure)

    def ended(self) -> str:
        """Who needs it tells by its own health when it is away."""
        return ""

    def stop(self) -> None:
        """Leave it running."""


def external_units(external: External) -> Iterator[ExternalUnit]:
    """One for each."""
    return map(ExternalUnit, external_servers(external))
