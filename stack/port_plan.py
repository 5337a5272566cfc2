"""Which port every listener gets: chosen, default, or the next free one, decided before anything starts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stack.errors import StackError
from stack.ports import free_ports, is_free, require_free
from stack.settings import PORTS, BadSetting, PortSetting, Settings

_SEARCHED_MAX = 100
_ANY = 0


class SamePort(StackError):
    """Two listeners were given one port."""

    def __init__(self, port: int, names: list[str]) -> None:
        variables = " and ".join(PORTS[name].variable for name in names)
        super().__init__(f"port {port} is asked for twice, by {variables}", cure="give one of them another port")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the plan asks of the machine."""

    is_free: Callable[[int], bool] = is_free
    free_ports: Callable[[int], list[int]] = free_ports
    require_free: Callable[[int, str], None] = require_free


def planned_ports(
    settings: Settings, counts: Mapping[str, int], machine: Machine | None = None
) -> dict[str, tuple[int, ...]]:
    """As many free ports as counted for every listener, by its name in PORTS.

    Raises PortInUse for the first one that is taken, SamePort, or BadSetting where a list has another length.
    """
    machine = machine or Machine()
    wanted = {name: count for name, count in counts.items() if count}
    plan = {name: _ports(PORTS[name], settings.ports.get(name), count, machine) for name, count in wanted.items()}
    _refuse_doubles(plan)
    for name, numbers in plan.items():
        for number in numbers:
            machine.require_free(number, PORTS[name].variable)
    return plan


def _ports(setting: PortSetting, chosen: tuple[int, ...] | None, count: int, machine: Machine) -> tuple[int, ...]:
    if chosen is None:
        first = _next_free(setting.default, machine) if setting.movable else setting.default
        return tuple(range(first, first + count))
    if chosen == (_ANY,):
        return tuple(machine.free_ports(count))
    if len(chosen) == count:
        return chosen
    if len(chosen) == 1:
        return tuple(range(chosen[0], chosen[0] + count))
    raise BadSetting(setting.variable, ",".join(map(str, chosen)), bound=f"one port, or {count} of them")


def _next_free(first: int, machine: Machine) -> int:
    return next((port for port in range(first, first + _SEARCHED_MAX) if machine.is_free(port)), first)


def _refuse_doubles(plan: Mapping[str, tuple[int, ...]]) -> None:
    holders: dict[int, list[str]] = {}
    for name, numbers in plan.items():
        for number in numbers:
            holders.setdefault(number, []).append(name)
    for number, names in holders.items():
        if len(names) > 1:
            raise SamePort(number, names)
