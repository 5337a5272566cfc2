"""A stranger holds a snapshot for minutes, or an hour: what that does to a relay's batches, and what it leaves dead.

A batch's time runs from the commit of its first event to its acknowledgement; the first minutes are held against the
last. Time grows with a busy machine too, so the fastest tenth and the processor time of the same minutes stand beside
it. The classic relay is the control: it must be seen to slow down here, or the hold was none.
"""

import os
from typing import Any

from bench.contestants.roster import Roster
from bench.findings import Findings, wrongs
from bench.program import Program
from bench.ratios import Ratio, quantile
from bench.stand import Stand
from bench.statements import statement
from bench.turn import Observed, faults, observe
from bench.usage import Usage

_WINDOW_SECONDS_MAX = 300.0
_WINDOWS_MIN = 6
_TABLES = {"ours": "outbox", "classic": "outbox_classic"}
_MS, _US = 1e6, 1e6


def held(stand: Stand, roster: Roster) -> Findings:
    """Ours, then the control; the first five minutes and the last, or sixths of a shorter time."""
    found = Findings("held")
    for name, table in _TABLES.items():
        if name in stand.settings.contestants:
            row = _under_a_hold(stand, roster, name, table)
            found.say(row)
            found.ratios.append(Ratio(f"held-{name}", (row["last_p50_ms"] / row["first_p50_ms"],)))
            found.ratios.append(Ratio(f"held-{name}-cpu", (row["last_cpu_us"] / row["first_cpu_us"],)))
            if name == "ours":
                found.wrong += wrongs(row, ("lost", "doubled", "disordered", "dead_rows"))
    return found


def _under_a_hold(stand: Stand, roster: Roster, name: str, table: str) -> dict[str, Any]:
    settings = stand.settings
    seconds, window = settings.held_seconds, min(_WINDOW_SECONDS_MAX, settings.held_seconds / _WINDOWS_MIN)
    with Program("holder", stand.folder, dsn=stand.dsn) as holder:
        holder.expect("ready")
        seen = observe(
            stand,
            roster[name],
            rate=settings.held_rate,
            seconds=seconds,
            warm_seconds=settings.warm_seconds,
            looks=(window, seconds - window),
        )
        [(dead_rows,)] = stand.sql(statement("dead_rows"), table)
        holder.end()
    events = window * settings.held_rate
    first, last = (_batch_times(seen, numbers) for numbers in _ends(seen, int(events)))
    return {
        "contestant": name,
        "rate": settings.held_rate,
        "held_seconds": seconds,
        "window_seconds": window,
        "first_p10_ms": quantile(first, 0.1),
        "last_p10_ms": quantile(last, 0.1),
        "first_p50_ms": quantile(first, 0.5),
        "last_p50_ms": quantile(last, 0.5),
        "first_p99_ms": quantile(first, 0.99),
        "last_p99_ms": quantile(last, 0.99),
        "first_cpu_us": _spent(seen.before, seen.between[0]) / events * _US,
        "last_cpu_us": _spent(seen.between[1], seen.after) / events * _US,
        "dead_rows": dead_rows,
        **faults(set(seen.commits), [number for number, _ in seen.arrivals]),
        "load1": os.getloadavg()[0],
    }


def _ends(seen: Observed, events: int) -> tuple[set[int], set[int]]:
    """The numbers of the first window and of the last."""
    numbers = sorted(seen.commits)
    return set(numbers[:events]), set(numbers[-events:])


def _batch_times(seen: Observed, numbers: set[int]) -> list[float]:
    """Per batch from its first commit to its acknowledgement, ordered, in milliseconds; a batch shares its moment."""
    began: dict[int, int] = {}
    for number, at in seen.acks:
        if number in numbers:
            began[at] = min(seen.commits[number], began.get(at, at))
    return sorted((at - first) / _MS for at, first in began.items())


def _spent(before: Usage, after: Usage) -> float:
    """Processor seconds of the relay and of its sessions."""
    return after.cpu_seconds - before.cpu_seconds + after.session_cpu_seconds - before.session_cpu_seconds
