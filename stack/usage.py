"""How much memory the stack takes: the proportional share of every process of ours, so that shared pages count once."""

from pathlib import Path

import psutil

from stack.home import Home
from stack.leftovers import living_processes, supervisor_of
from stack.servers.child import family

_KIB = 1024


def pss(home: Home) -> int:
    """Bytes all processes of the home's stack take together; 0 when nothing runs."""
    return sum(pss_by_process(home).values())


def pss_by_process(home: Home) -> dict[str, int]:
    """Bytes by process name, children counted with their parents, the supervisor without its children."""
    taken = {name: sum(map(_pss, family(process))) for name, process in living_processes(home).items()}
    supervisor = supervisor_of(home)
    return taken | ({"supervisor": _pss(supervisor)} if supervisor else {})


def _pss(process: psutil.Process) -> int:
    """The kernel's own sum where it offers one, else the resident size: an upper bound."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * _KIB for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return _resident(process)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
