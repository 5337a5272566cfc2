"""The outbox against the orders themselves: every change has its one row, and the rows tell an allowed story.

What changed is what the audit trigger saw, where there is one, and what the orders' own versions say everywhere: a lost
row shows as a version the order has and the outbox has not.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from verification.case import Case, descents
from verification.facts import ALLOWED, Status
from verification.report import Kind
from verification.verdicts import audit

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


def judge(case: Case) -> None:
    """Decide I-07 and I-08."""
    _rows(case)
    _moves(case)
    audit.judge(case)
    for row, before in descents(case.inside, lambda row: row.seq):
        case.tallies.outbox.out_of_order += 1
        text = f"written (seq {row.seq}) before version {before.version} (seq {before.seq})"
        case.found(Kind.OUTBOX_ORDER, "I-08", row.version, text)


def _rows(case: Case) -> None:
    tally, own = case.tallies.outbox, _own_versions(case)
    times = Counter(row.version for row in case.inside)
    lacked = (own - times.keys()) | audit.lacked_versions(case)
    tally.rows += len(case.inside)
    for version in sorted(lacked):
        tally.missing += 1
        case.found(Kind.OUTBOX_LACKS, "I-08", version, "the order made this change; the outbox has no row of it")
    for version, count in sorted(times.items()):
        made = version in own and not audit.unseen(case, version)
        tally.matched += made
        surplus = count - made
        if surplus:
            tally.extra += surplus
            text = f"the outbox has it {count} times" if made else "the order never made this change"
            case.found(Kind.OUTBOX_INVENTS, "I-08", version, text)


def _own_versions(case: Case) -> AbstractSet[int]:
    """Give the versions the order says it went through in the window; without a gap up to what it is now."""
    current = case.story.current
    if current is None:
        return frozenset()
    if current.began:
        return frozenset(range(1, current.version + 1))
    first = min((row.version for row in case.inside), default=current.version)
    return frozenset(range(min(first, current.version), current.version + 1))


def _moves(case: Case) -> None:
    by_version = {row.version: row.status for row in case.story.committed}
    for row in case.inside:
        before = by_version.get(row.version - 1)
        if row.version == 1 and row.status != Status.NEW:
            case.found(Kind.ILLEGAL_MOVE, "I-07", 1, f"began as '{Status(row.status).text}'")
        if before is not None and row.status not in ALLOWED.get(before, frozenset()):
            text = f"went from '{Status(before).text}' to '{Status(row.status).text}'"
            case.found(Kind.ILLEGAL_MOVE, "I-07", row.version, text)
    _last(case)


def _last(case: Case) -> None:
    current, last = case.story.current, case.inside[-1] if case.inside else None
    if current and last and last.version == current.version and last.status != current.status:
        text = f"says '{Status(last.status).text}', the order is '{Status(current.status).text}'"
        case.found(Kind.ILLEGAL_MOVE, "I-07", last.version, text)
