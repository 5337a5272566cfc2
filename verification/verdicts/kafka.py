"""The topic against the outbox: every row has its record, every record its row, in order and in the key's partition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verification.case import Case, descents
from verification.facts import VOID_TYPE, digest, event_text
from verification.murmur2 import partition_of
from verification.report import Kind
from verification.verdicts import repeats

if TYPE_CHECKING:
    from verification.facts import Committed, Published

VOID: Final = digest(VOID_TYPE, None)
"""What a withdrawn event looks like; it may have been sent as it was before it was withdrawn."""


def judge(case: Case) -> None:
    """Decide I-09 to I-13; leaves the window's first records in the case."""
    tally = case.tallies.kafka
    first = _first_occurrences(case)
    for row in case.inside:
        if row.event_id not in first:
            tally.missing += 1
            text = f"committed as event {event_text(row.event_id)} (seq {row.seq}); Kafka has no record of it"
            case.found(Kind.LOST, "I-10", row.version, text)
    case.records = first
    for record, before in descents(first.values(), lambda record: record.version):
        tally.out_of_order += 1
        text = f"first at offset {record.offset}, after version {before.version} at offset {before.offset}"
        case.found(Kind.RECORDS_ORDER, "I-12", record.version, text)


def _first_occurrences(case: Case) -> dict[bytes, Published]:
    rows = {row.event_id: row for row in case.story.committed}
    home = partition_of(str(case.story.order_id).encode(), case.circumstances.partitions)
    first: dict[bytes, Published] = {}
    last: dict[bytes, Published] = {}
    for record in sorted(case.story.published, key=lambda record: (record.partition, record.offset)):
        row = rows.get(record.event_id)
        if row is None:
            _unknown(case, record)
        elif row.inside and record.event_id in first:
            repeats.judge(case, last[record.event_id], record)
        elif row.inside:
            first[record.event_id] = record
            case.tallies.kafka.rows += 1
            case.tallies.kafka.matched += _same(case, row, record, home)
        last[record.event_id] = record
    return first


def _unknown(case: Case, record: Published) -> None:
    if record.at and record.at < case.circumstances.judged_since:
        case.tallies.unjudged += 1
        return
    case.tallies.kafka.rows += 1
    case.tallies.kafka.extra += 1
    place = f"partition {record.partition} offset {record.offset}"
    text = f"event {event_text(record.event_id)} at {place} was never written to the outbox"
    case.found(Kind.PHANTOM_RECORD, "I-09", record.version, text)


def _same(case: Case, row: Committed, record: Published, home: int) -> bool:
    place = f"offset {record.offset} of partition {record.partition}"
    if record.partition != home:
        text = f"lies at {place}; the key belongs to partition {home}"
        case.found(Kind.WRONG_PARTITION, "I-11", row.version, text)
    if record.version != row.version:
        case.found(Kind.ALTERED, "I-09", row.version, f"{place} says version {record.version}")
    elif row.digest not in {record.digest, VOID}:
        case.found(Kind.ALTERED, "I-09", row.version, f"type or body at {place} is not the row's")
    else:
        return True
    case.tallies.kafka.extra += 1
    return False
