"""The outbox against the orders themselves: every change has its one row, and the rows tell an allowed story.

Stands in for the audit trigger, which only databases of tests have (I-08): a lost row shows as a version the order has
and the outbox has not.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from verification.case import Case, descents
from verification.facts import Status
from verification.report import Kind

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

ALLOWED: Final[dict[int, frozenset[int]]] = {
    Status.NEW: frozenset({Status.AWAITING_PAYMENT, Status.FAILED}),
    Status.AWAITING_PAYMENT: frozenset({Status.PAID, Status.CANCELLED}),
}
"""The moves of an order (contract.md §1)."""


def judge(case: Case) -> None:
    """Decide I-07 and I-08."""
    _rows(case)
    _moves(case)
    for row, before in descents(case.inside, lambda row: row.seq):
        case.tallies.outbox.out_of_order += 1
        text = f"written (seq {row.seq}) before version {before.version} (seq {before.seq})"
        case.found(Kind.OUTBOX_ORDER, "I-08", row.version, text)


def _rows(case: Case) -> None:
    tally, expected = case.tallies.outbox, _expected_versions(case)
    times = Counter(row.version for row in case.inside)
    tally.rows += len(case.inside)
    tally.matched += len(times.keys() & expected)
    for version in sorted(expected - times.keys()):
        tally.missing += 1
        case.found(Kind.OUTBOX_LACKS, "I-08", version, "the order made this change; the outbox has no row of it")
    for version, count in sorted(times.items()):
        surplus = count - (version in expected)
        if surplus:
            tally.extra += surplus
            text = "the order never made this change" if version not in expected else f"the outbox has it {count} times"
            case.found(Kind.OUTBOX_INVENTS, "I-08", version, text)


def _expected_versions(case: Case) -> AbstractSet[int]:
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
