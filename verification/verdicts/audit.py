"""The audit trigger against the outbox, one to one: each change has its row, written by the same transaction.

Only databases of tests have the trigger. It writes inside the transaction of the change whoever makes it, so it cannot
be forgotten, and it knows the transaction: a row that another one wrote is found although nothing is missing (I-08).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verification.facts import Status
from verification.report import Kind

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from verification.case import Case
    from verification.facts import Audited, Committed


def judge(case: Case) -> None:
    """Decide that every change is one step (I-07) and shares its transaction with its row (I-08)."""
    rows: dict[int, Committed] = {}
    for row in sorted(case.story.committed, key=lambda row: row.seq, reverse=True):
        rows[row.version] = row
    changes = sorted(case.story.audited, key=lambda change: change.version)
    for change in [change for change in changes if change.inside]:
        if change.version != change.was_version + 1:
            text = f"the order went from version {change.was_version} to {change.version}"
            case.found(Kind.ILLEGAL_MOVE, "I-07", change.version, text)
        if change.version in rows:
            _same(case, change, rows[change.version])


def _same(case: Case, change: Audited, row: Committed) -> None:
    if row.xid != change.xid:
        text = f"transaction {change.xid} changed the order, {row.xid} wrote the row"
        case.found(Kind.OUTBOX_APART, "I-08", change.version, text)
    if row.status != change.status:
        text = f"says '{Status(row.status).text}', the change was to '{Status(change.status).text}'"
        case.found(Kind.OUTBOX_INVENTS, "I-08", change.version, text)


def lacked_versions(case: Case) -> AbstractSet[int]:
    """Give the changes of the window that no row of any time tells of, save those whose row may have been dropped."""
    rows = {row.version for row in case.story.committed}
    return {
        change.version
        for change in case.story.audited
        if change.inside and change.version not in rows and change.at >= case.circumstances.judged_since
    }


def unseen(case: Case, version: int) -> bool:
    """Whether the trigger stood when a row of the window was written, and saw no change of this version."""
    since = case.circumstances.audited_since
    if since is None or any(change.version == version for change in case.story.audited):
        return False
    return any(row.version == version and row.at >= since for row in case.inside)
