"""Lost, inverted, doubled? Holds five witnesses against one another and trusts nobody's bookkeeping.

The committed set is what the trigger saw (D). The clients' history says what it must contain and must not; the outbox
must be its image in the same transactions; the topic's first occurrences must be the outbox in order of version; the
effects must be the outbox, once and in that order. Nothing here reads a cursor, a watermark or an offset.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from tests.chaos.facts import Attempt, Audited, Effect, Outcome, Record, Row, Witnesses
from tests.chaos.judgement import Judgement, Kind
from verification.murmur2 import partition_of


def judge(seen: Witnesses, *, calm: bool = False, poisoned: Collection[str] = ()) -> Judgement:
    """Judge a run that has come to rest.

    calm: no process and no server failed, so nothing may have been published twice. poisoned: the keys that hold an
    event no consumer can apply; only theirs may be parked.
    """
    verdict = Judgement(changes=len(seen.audit))
    _clients(seen, verdict)
    _versions(seen, verdict)
    _outbox(seen, verdict)
    _topic(seen, verdict, calm=calm)
    for consumer in seen.consumers:
        _effects(seen, consumer, verdict, poisoned)
    return verdict


def _clients(seen: Witnesses, verdict: Judgement) -> None:
    """I-01, I-02: what was acknowledged is there, what was refused is not, the unknown is there whole or not at all."""
    happened: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for change in seen.audit:
        happened[change.op].add((change.key, change.version))
    succeeded: set[str] = set()
    for attempt in seen.history:
        found = happened.pop(attempt.op, set())
        verdict.uncertain += attempt.outcome is Outcome.UNKNOWN
        if attempt.outcome is Outcome.OK:
            succeeded.update(key for key, _ in attempt.changes)
        _attempt(attempt, found, verdict)
    for op, found in happened.items():
        verdict.found(Kind.DOUBLED, "I-02", f"nobody ever asked for {op}, which changed {sorted(found)}")
    verdict.orders = len(succeeded)


def _attempt(attempt: Attempt, found: set[tuple[str, int]], verdict: Judgement) -> None:
    said = set(attempt.changes)
    if attempt.outcome is Outcome.REFUSED:
        for change in sorted(found):
            verdict.found(Kind.DOUBLED, "I-02", f"{attempt.op} was refused and changed {change}")
        return
    if attempt.outcome is Outcome.UNKNOWN and not found:
        return
    for change in sorted(said - found):
        verdict.found(
            Kind.LOST, "I-01", f"{attempt.op} ({attempt.outcome.value}) changed {change}, the database did not"
        )
    for change in sorted(found - said):
        verdict.found(Kind.DOUBLED, "I-02", f"{attempt.op} ({attempt.outcome.value}) never spoke of {change}")


def _versions(seen: Witnesses, verdict: Judgement) -> None:
    """I-07: an order's changes are 1 … n, and n is where its row stands."""
    for key, changes in _by_key(seen.audit).items():
        versions = [change.version for change in changes]
        if versions != list(range(1, len(versions) + 1)):
            verdict.found(Kind.LOST, "I-07", f"order {key} went through {versions}")
        if seen.orders.get(key) != len(versions):
            verdict.found(
                Kind.LOST, "I-07", f"order {key} stands at {seen.orders.get(key)} after {len(versions)} changes"
            )


def _outbox(seen: Witnesses, verdict: Judgement) -> None:
    """I-08: one row a change, written by the same transaction, numbered in the order of the versions."""
    rows: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in seen.rows:
        rows[row.key, row.version].append(row)
    for change in seen.audit:
        found = rows.pop((change.key, change.version), [])
        if not found:
            verdict.found(Kind.LOST, "I-08", f"order {change.key} version {change.version} has no row in the outbox")
        elif found[0].xid != change.xid:
            text = f"was written by transaction {found[0].xid}, the change by {change.xid}"
            verdict.found(Kind.LOST, "I-08", f"the row of order {change.key} version {change.version} {text}")
        for _ in found[1:]:
            verdict.found(Kind.DOUBLED, "I-08", f"order {change.key} version {change.version} has a second row")
    for key, version in rows:
        verdict.found(Kind.DOUBLED, "I-08", f"a row tells of order {key} version {version}, which never was")
    for key, version in _descents((row.key, row.version) for row in sorted(seen.rows, key=lambda row: row.seq)):
        verdict.found(Kind.INVERTED, "I-08", f"order {key} version {version} is numbered after a later one")


def _topic(seen: Witnesses, verdict: Judgement, *, calm: bool) -> None:
    """I-09 to I-13: every row is in the topic as it is, in its key's partition; first occurrences are in order.

    A record may come again only from another tenure, or from another producer of the same.
    """
    rows = {row.event_id: row for row in seen.rows}
    first: dict[str, Record] = {}
    senders: dict[str, set[str]] = defaultdict(set)
    for record in sorted(seen.records, key=lambda record: (record.partition, record.offset)):
        row = rows.get(record.event_id)
        if row is None:
            verdict.found(
                Kind.DOUBLED, "I-09", f"the topic tells of event {record.event_id}, which was never committed"
            )
        elif record.event_id in first:
            verdict.repeats += 1
            if calm or record.sender in senders[record.event_id]:
                text = f"event {record.event_id} came again from {record.sender}, and nothing had failed"
                verdict.found(Kind.DOUBLED, "I-13", text)
        else:
            first[record.event_id] = record
            _record(row, record, seen.partitions, verdict)
        senders[record.event_id].add(record.sender)
    for row in seen.rows:
        if row.event_id not in first:
            verdict.found(Kind.LOST, "I-10", f"order {row.key} version {row.version} never came to the topic")
    firsts = ((record.key or "", record.version) for record in first.values())
    for key, version in _descents(firsts):
        verdict.found(Kind.INVERTED, "I-12", f"order {key} version {version} first came after a later one")


def _record(row: Row, record: Record, partitions: int, verdict: Judgement) -> None:
    if (record.version, record.payload) != (row.version, row.payload):
        text = f"is version {record.version}, {record.payload!r} in the topic"
        verdict.found(Kind.LOST, "I-09", f"order {row.key} version {row.version}, {row.payload!r}, {text}")
    if record.key != row.key or record.partition != partition_of(row.key.encode(), partitions):
        text = f"came under key {record.key!r} to partition {record.partition}"
        verdict.found(Kind.INVERTED, "I-11", f"order {row.key} version {row.version} {text}")


def _effects(seen: Witnesses, consumer: str, verdict: Judgement, poisoned: Collection[str]) -> None:
    """I-14, I-15, I-17: every event ends as one effect with its echo, or parked with reason; in order of version."""
    times: dict[str, list[Effect]] = defaultdict(list)
    for effect in sorted(seen.effects, key=lambda effect: effect.place):
        if effect.consumer == consumer:
            times[effect.event_id].append(effect)
    echoes = Counter(echo.event_id for echo in seen.echoes if echo.consumer == consumer)
    parked = {aside.event_id for aside in seen.parked if aside.consumer == consumer}
    for row in seen.rows:
        found = times.get(row.event_id, [])
        verdict.parked += row.event_id in parked
        _applied(consumer, row, found, verdict, may_wait=row.event_id in parked and row.key in poisoned)
        if echoes[row.event_id] != len(found):
            kind = Kind.LOST if echoes[row.event_id] < len(found) else Kind.DOUBLED
            text = f"took effect {len(found)} times at {consumer} and was echoed {echoes[row.event_id]} times"
            verdict.found(kind, "I-14", f"order {row.key} version {row.version} {text}")
    for event_id in times.keys() - {row.event_id for row in seen.rows}:
        verdict.found(Kind.DOUBLED, "I-14", f"{consumer} applied event {event_id}, which was never committed")
    firsts = ((effects[0].key, effects[0].version) for effects in times.values())
    for key, version in _descents(firsts):
        verdict.found(
            Kind.INVERTED, "I-15", f"order {key} version {version} took effect at {consumer} after a later one"
        )


def _applied(consumer: str, row: Row, found: list[Effect], verdict: Judgement, *, may_wait: bool) -> None:
    name = f"order {row.key} version {row.version}"
    if not found and not may_wait:
        verdict.found(Kind.LOST, "I-17", f"{name} took no effect at {consumer} and is not rightly set aside")
    if found and may_wait:
        verdict.found(Kind.DOUBLED, "I-17", f"{name} took effect at {consumer} and is set aside as well")
    if found and (found[0].key, found[0].version, found[0].payload) != (row.key, row.version, row.payload):
        verdict.found(Kind.LOST, "I-14", f"{name} took effect at {consumer} as {found[0]}")
    for _ in found[1:]:
        verdict.found(Kind.DOUBLED, "I-14", f"{name} took effect at {consumer} again")


def _by_key(audit: Iterable[Audited]) -> dict[str, list[Audited]]:
    keys: dict[str, list[Audited]] = defaultdict(list)
    for change in audit:
        keys[change.key].append(change)
    return keys


def _descents(changes: Iterable[tuple[str, int]]) -> Iterable[tuple[str, int]]:
    """Those that come after a later version of their key."""
    highest: dict[str, int] = {}
    for key, version in changes:
        if version < highest.get(key, 0):
            yield key, version
        highest[key] = max(version, highest.get(key, 0))
