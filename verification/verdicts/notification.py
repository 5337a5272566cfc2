"""The ledger against the outbox: every change has exactly one effect, applied in order, or was set aside by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verification.case import Case, descents
from verification.facts import State, event_text
from verification.log_order import Applied
from verification.report import Kind
from verification.verdicts.kafka import VOID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verification.facts import Committed, Noted

_OPEN: Final = frozenset({State.PLANNED, State.CALLING})


def judge(case: Case) -> None:
    """Decide I-14, I-15, I-16 and I-17; leaves the window's effects in the case."""
    tally = case.tallies.notification
    effects = _effects(case)
    tally.rows += len(effects)
    tally.matched += len(effects)
    for row in case.inside:
        if row.event_id not in effects and row.digest != VOID:
            _without_effect(case, row)
    descending = list(descents(effects.values(), lambda noted: noted.version))
    for noted, before in descending:
        tally.out_of_order += 1
        case.found(Kind.EFFECTS_ORDER, "I-15", noted.version, f"applied after version {before.version}")
    for noted in effects.values():
        if noted.state in _OPEN:
            case.found(Kind.UNFINISHED, "I-18", noted.version, f"still {State(noted.state).name.lower()}")
    if not descending:
        _places(case, effects)
    case.effects = sorted(effects.values(), key=lambda noted: noted.version)


def _effects(case: Case) -> dict[bytes, Noted]:
    """Give the first effect of each change of the window, in the order they were applied."""
    rows = {row.event_id: row for row in case.story.committed}
    effects: dict[bytes, Noted] = {}
    for noted in sorted(case.story.noted, key=lambda noted: noted.seq):
        row = rows.get(noted.event_id)
        if row is None:
            _unknown(case, noted)
        elif row.version != noted.version:
            _another(case, row, noted)
        elif row.inside:
            effects[noted.event_id] = noted
    return effects


def _places(case: Case, effects: Mapping[bytes, Noted]) -> None:
    """Hand the window's effects to the judge of the log's order, save those that rightly waited.

    An order's later records wait for a version that comes late, or until an operator lets them go on; where an operator
    moved the consumer, the order of effects is theirs.
    """
    decisions = case.circumstances.decisions
    records = case.records
    if case.story.order_id in decisions.released or len(records) < len(case.inside):
        return
    if any(descents(records.values(), lambda record: record.version)):
        return
    for event_id, noted in effects.items():
        record = records[event_id]
        if record.partition not in decisions.moved:
            case.log_order.add(record.partition, Applied(record.offset, noted.seq, noted.order_id, noted.version))


def _unknown(case: Case, noted: Noted) -> None:
    if not case.story.committed and case.circumstances.judged_since:
        return  # the outbox may have dropped its row
    case.tallies.notification.rows += 1
    case.tallies.notification.extra += 1
    text = f"the ledger tells of event {event_text(noted.event_id)}, which was never written to the outbox"
    case.found(Kind.PHANTOM_EFFECT, "I-14", noted.version, text)


def _another(case: Case, row: Committed, noted: Noted) -> None:
    case.tallies.notification.rows += 1
    case.tallies.notification.extra += 1
    text = f"event {event_text(noted.event_id)} of version {row.version} took effect as version {noted.version}"
    case.found(Kind.DOUBLED_EFFECT, "I-14", noted.version, text)


def _without_effect(case: Case, row: Committed) -> None:
    if any(event.event_id == row.event_id for event in case.story.set_aside):
        case.found(Kind.PARKED, "I-17", row.version, "the consumer set it aside")
        return
    case.tallies.notification.missing += 1
    records = [record for record in case.story.published if record.event_id == row.event_id]
    for who, positions in (
        ("consumer", case.circumstances.positions),
        ("group's offset", case.circumstances.committed),
    ):
        if any(record.offset < positions.get(record.partition, 0) for record in records):
            text = f"the {who} is past its record, which was neither applied nor parked"
            case.found(Kind.SKIPPED, "I-16", row.version, text)
            return
    text = "the consumer has not come to its record yet" if records else "nothing reached the consumer"
    case.found(Kind.NOT_APPLIED, "I-17", row.version, text)
