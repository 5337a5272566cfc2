"""I-13: what may come again, and how much of it. Nothing does while one owner works through one producer.

An owner of the cursor stores it at least every tenth of a second and after every read, so its successor repeats what
was sent in the last moments before the take-over. A former owner that wakes up may end what it had in hand. One owner
repeats only with a new producer, after a publish whose outcome it does not know.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from verification.repeats import Cause, Repeat
from verification.report import Finding, Kind

if TYPE_CHECKING:
    from verification.case import Case
    from verification.facts import Published
    from verification.incarnations import Incarnations
    from verification.repeats import Repeats
    from verification.report import Findings
    from verification.witnesses.producers import BatchWriters

REACH_DEFAULT: Final = timedelta(seconds=30)
"""How far back an owner's unstored work may reach: one read published slowly, and what a crash of Postgres forgets."""


def judge(case: Case, before: Published, record: Published) -> None:
    """Decide about a record of the window that came again."""
    repeat = Repeat(
        order_id=record.order_id,
        version=record.version,
        partition=record.partition,
        before_offset=before.offset,
        offset=record.offset,
        before=before.incarnation,
        sender=record.incarnation,
        before_sent_at=before.sent_at,
        sent_at=record.sent_at,
    )
    case.tallies.repeats += 1
    moved = case.circumstances.operator_moved
    if moved is not None and record.sent_at >= moved:
        case.repeats.causes[Cause.OPERATOR] += 1
    elif repeat.before == repeat.sender:
        case.repeats.ask(repeat)
    elif case.circumstances.senders[repeat.before].precedes(case.circumstances.senders[repeat.sender]):
        _by_a_successor(case, repeat)
    else:
        case.repeats.causes[Cause.FORMER] += 1
        case.repeats.overlapped(repeat, former=repeat.sender, newer=repeat.before, at=repeat.sent_at)


def _by_a_successor(case: Case, repeat: Repeat) -> None:
    senders, reach = case.circumstances.senders, case.circumstances.repeats_reach
    former, newer = senders[repeat.before], senders[repeat.sender]
    if repeat.before_sent_at >= newer.began:
        case.repeats.causes[Cause.FORMER] += 1
        case.repeats.overlapped(repeat, former=repeat.before, newer=repeat.sender, at=repeat.before_sent_at)
        return
    went_on = former.at_work_until(newer.began) - repeat.before_sent_at
    if went_on <= reach.total_seconds():
        case.repeats.causes[Cause.SUCCESSOR] += 1
        return
    case.repeats.causes[Cause.NONE] += 1
    text = f"{newer.name} sent it again, though {former.name} went on for {went_on:.0f} s after it: it stored no cursor"
    case.found(Kind.REPEATED, "I-13", repeat.version, text)


async def decide_the_rest(
    repeats: Repeats, writers: BatchWriters, *, senders: Incarnations, reach: timedelta, findings: Findings
) -> None:
    """Decide what needs the whole window: owners side by side, and one owner's repeats: who wrote them, by the log."""
    for (former, newer), overlap in repeats.overlaps.items():
        lasted = overlap.last - overlap.first
        if lasted > reach.total_seconds():
            text = (
                f"{senders[former].name} and {senders[newer].name} sent the same events side by side for {lasted:.0f} s"
            )
            findings.add(_finding(overlap.example, text))
    for repeat in repeats.to_ask:
        first = await writers.of(repeat.partition, repeat.before_offset)
        again = await writers.of(repeat.partition, repeat.offset)
        if first is None or again is None:
            repeats.causes[Cause.UNDECIDED] += 1
        elif first != again:
            repeats.causes[Cause.PRODUCER] += 1
        else:
            repeats.causes[Cause.NONE] += 1
            who = f"{senders[repeat.sender].name}, producer {again}," if again >= 0 else senders[repeat.sender].name
            text = f"{who} sent it twice, at offsets {repeat.before_offset} and {repeat.offset}: nothing had failed"
            findings.add(_finding(repeat, text))


def _finding(repeat: Repeat, text: str) -> Finding:
    place = f" (partition {repeat.partition})"
    return Finding(
        kind=Kind.REPEATED, invariant="I-13", order_id=repeat.order_id, version=repeat.version, text=text + place
    )
