"""A stranger holds a snapshot for minutes: what that does to a relay's batches, and what it leaves dead in its table.

The classic relay is the control: it must be seen to slow down here, or the hold was none.
"""

import os
from typing import Any

from bench.contestants.roster import Roster
from bench.findings import Findings, wrongs
from bench.program import Program
from bench.ratios import Ratio, quantile
from bench.stand import Stand
from bench.statements import statement
from bench.turn import Observed, faults, observe, waits

_RATE = 1_000
_WINDOWS = 6
_TABLES = {"ours": "outbox", "classic": "outbox_classic"}


def held(stand: Stand, roster: Roster) -> Findings:
    """Ours, then the control; commit to acknowledgement in the first and in the last sixth of the time."""
    found = Findings("held")
    for name, table in _TABLES.items():
        if name in stand.settings.contestants:
            row = _under_a_hold(stand, roster, name, table)
            found.say(row)
            found.ratios.append(Ratio(f"held-{name}", (row["last_p50_ms"] / row["first_p50_ms"],)))
            if name == "ours":
                found.wrong += wrongs(row, ("lost", "doubled", "disordered", "dead_rows"))
    return found


def _under_a_hold(stand: Stand, roster: Roster, name: str, table: str) -> dict[str, Any]:
    settings = stand.settings
    with Program("holder", stand.folder, dsn=stand.dsn) as holder:
        holder.expect("ready")
        seen = observe(
            stand, roster[name], rate=_RATE, seconds=settings.held_seconds, warm_seconds=settings.warm_seconds
        )
        [(dead_rows,)] = stand.sql(statement("dead_rows"), table)
        holder.end()
    first, last = _windows(seen)
    return {
        "contestant": name,
        "held_seconds": settings.held_seconds,
        "first_p50_ms": quantile(first, 0.5),
        "last_p50_ms": quantile(last, 0.5),
        "first_p99_ms": quantile(first, 0.99),
        "last_p99_ms": quantile(last, 0.99),
        "dead_rows": dead_rows,
        **faults(set(seen.commits), [number for number, _ in seen.arrivals]),
        "load1": os.getloadavg()[0],
    }


def _windows(seen: Observed) -> tuple[list[float], list[float]]:
    numbers = sorted(seen.commits)
    part = max(1, len(numbers) // _WINDOWS)
    early, late = set(numbers[:part]), set(numbers[-part:])
    return (
        waits({n: at for n, at in seen.commits.items() if n in early}, seen.acks),
        waits({n: at for n, at in seen.commits.items() if n in late}, seen.acks),
    )
