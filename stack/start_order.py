"""The order of starting: who needs whom, checked before anything runs."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from stack.errors import StackError


class ImpossibleOrder(StackError):
    """Processes wait for one another in a ring, or for one that does not exist."""

    def __init__(self, names: AbstractSet[str]) -> None:
        super().__init__(
            f"no order of starting satisfies: {', '.join(sorted(names))}",
            cure="mend `needs` in stack/services.py",
        )


def require_startable(needs: Mapping[str, AbstractSet[str]]) -> None:
    """Pass if everybody can be started after all it needs, else raise ImpossibleOrder."""
    done: set[str] = set()
    while len(done) < len(needs):
        ready = {name for name, wanted in needs.items() if name not in done and wanted <= done}
        if not ready:
            raise ImpossibleOrder(needs.keys() - done)
        done |= ready


def dependents(needs: Mapping[str, AbstractSet[str]]) -> dict[str, frozenset[str]]:
    """Who must have stopped before each one may stop."""
    return {name: frozenset(other for other, wanted in needs.items() if name in wanted) for name in needs}
