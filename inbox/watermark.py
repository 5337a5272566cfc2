"""Which of the events that arrived are to be applied: pure, no I/O, one pass in log order.

Invariants, per key:
- versions are applied as 1, 2, 3 … without a hole and never twice, whatever repeats, gaps or reorders the log holds;
- once a key is parked nothing of it is applied before what it waits for has come;
- cutting the same arrivals into other batches changes nothing of what is applied, and in which order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, Protocol, TypeVar
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

TAIL = 16
"""So many of the last applied versions keep their event id, to tell a repeat from a fork."""

Parked = Literal["gap", "fork", "poison"]


class Item(Protocol):
    """What the fold needs to know of an arrival."""

    @property
    def key(self) -> str:
        """What it queues behind."""
        ...

    @property
    def version(self) -> int | None:
        """Its number under the key; None when it cannot be read, or the topic has none."""
        ...

    @property
    def event_id(self) -> UUID:
        """What it is recognised by."""
        ...

    @property
    def fault(self) -> str | None:
        """Why it cannot be read, if so."""
        ...


A = TypeVar("A", bound=Item)

Ref = tuple[str, int | None, UUID]
"""Names one event among all that may be applied: its key, version and id (ids alone may repeat by mistake)."""


class Watermark(NamedTuple):
    """How far a key has come: its last applied version, the ids of the last of them (newest first), why it waits.

    Where no event of an old version arrived the stored ids are not read: `event_ids` then holds those of this batch.
    """

    version: int = 0
    event_ids: tuple[UUID, ...] = ()
    parked: Parked | None = None

    def id_of(self, version: int) -> UUID | None:
        """Return the id applied as this version, or None when the tail does not reach so far back."""
        back = self.version - version
        return self.event_ids[back] if 0 <= back < len(self.event_ids) else None

    def after(self, event_id: UUID) -> Watermark:
        """Return the watermark once the next version is applied too."""
        return Watermark(self.version + 1, (event_id, *self.event_ids)[:TAIL], self.parked)


@dataclass(slots=True)
class Fold(Generic[A]):
    """What is to be done with a batch."""

    apply: list[A] = field(default_factory=list)
    """To be handed over, in this order; parked ones whose turn has come stand among them."""
    duplicates: list[A] = field(default_factory=list)
    park: list[tuple[A, str]] = field(default_factory=list)
    """To be set aside, each with its reason."""
    drained: list[A] = field(default_factory=list)
    """Set aside earlier and applied now: to be removed from what is parked."""
    watermarks: dict[str, Watermark] = field(default_factory=dict)
    """The watermarks that change."""
    adopted: int = 0
    newly_parked: dict[str, Parked] = field(default_factory=dict)
    """Keys that flowed, or waited for another reason, before this batch."""


def fold_versions(
    arrivals: Sequence[A],
    watermarks: Mapping[str, Watermark],
    *,
    waiting: Mapping[str, Sequence[A]] | None = None,
    rejected: Mapping[Ref, str] | None = None,
    adopt: bool = False,
) -> Fold[A]:
    """Fold the arrivals of one partition, in log order, over the watermarks of their keys.

    waiting: for every key parked by a gap whose next version is among the arrivals, all that is parked of it.
    rejected: events the handler refused, with its reason; they park their key when their turn comes.
    adopt: a key first seen above version 1 begins there instead of having a gap.
    """
    folding = _Folding(watermarks, waiting or {}, rejected or {}, adopt=adopt)
    for arrival in arrivals:
        folding.take(arrival)
    return folding.done()


def fold_ids(
    arrivals: Sequence[A],
    *,
    fresh: Collection[UUID],
    parked: Collection[str],
    rejected: Mapping[Ref, str] | None = None,
) -> Fold[A]:
    """Fold the arrivals of a topic without versions: apply what is fresh, once; queue behind what is parked."""
    folded: Fold[A] = Fold()
    unseen, waits, refused = set(fresh), set(parked), rejected or {}
    for arrival in arrivals:
        fault = arrival.fault or refused.get((arrival.key, arrival.version, arrival.event_id))
        if arrival.event_id not in unseen:
            folded.duplicates.append(arrival)
            continue
        unseen.remove(arrival.event_id)
        if arrival.key in waits:
            folded.park.append((arrival, "behind a parked event"))
        elif fault is not None:
            waits.add(arrival.key)
            folded.park.append((arrival, fault))
            folded.watermarks[arrival.key] = Watermark(parked="poison")
            folded.newly_parked[arrival.key] = "poison"
        else:
            folded.apply.append(arrival)
    return folded


def rebased(watermark: Watermark, versions: Iterable[int | None]) -> Watermark:
    """Return the watermark from which the parked versions follow on: what an operator agrees to by releasing a key.

    A gap is closed (the missing versions will never come), a fork is followed (the new history replaces the old).
    """
    known = [version for version in versions if version is not None]
    if not known:
        return watermark._replace(parked=None)
    before = min(known) - 1
    kept = watermark.event_ids[watermark.version - before :] if before <= watermark.version else ()
    return Watermark(before, kept, None)


class _Folding(Generic[A]):
    """One pass; keys do not know of one another."""

    def __init__(
        self,
        watermarks: Mapping[str, Watermark],
        waiting: Mapping[str, Sequence[A]],
        rejected: Mapping[Ref, str],
        *,
        adopt: bool,
    ) -> None:
        self._before = watermarks
        self._marks = dict(watermarks)
        self._rejected = rejected
        self._adopt = adopt
        self._stored = {(arrival.key, arrival.event_id) for arrivals in waiting.values() for arrival in arrivals}
        self._waiting: dict[str, dict[UUID, tuple[A, str]]] = {
            key: {arrival.event_id: (arrival, "") for arrival in arrivals} for key, arrivals in waiting.items()
        }
        self._folded: Fold[A] = Fold()

    def take(self, arrival: A) -> None:
        mark = self._marks.get(arrival.key) or self._first_mark(arrival)
        if arrival.event_id in self._waiting.get(arrival.key, ()):
            self._folded.duplicates.append(arrival)
        elif arrival.version is None or arrival.fault is not None:
            self._park(arrival, mark, mark.parked or "poison", arrival.fault or "no version")
        elif arrival.version <= mark.version:
            self._take_old(arrival, arrival.version, mark)
        elif mark.parked in ("fork", "poison"):
            self._park(arrival, mark, mark.parked, "behind a parked event")
        elif arrival.version > mark.version + 1:
            self._park(arrival, mark, "gap", f"version {mark.version + 1} is missing")
        else:
            self._take_next(arrival, mark)

    def done(self) -> Fold[A]:
        changed = {key: mark for key, mark in self._marks.items() if mark != self._before.get(key)}
        self._folded.watermarks = changed
        self._folded.newly_parked = {
            key: mark.parked
            for key, mark in changed.items()
            if mark.parked and mark.parked != self._before.get(key, Watermark()).parked
        }
        self._folded.park = [
            entry
            for entries in self._waiting.values()
            for entry in entries.values()
            if (entry[0].key, entry[0].event_id) not in self._stored
        ]
        return self._folded

    def _first_mark(self, arrival: A) -> Watermark:
        if self._adopt and arrival.version is not None and arrival.version > 1:
            self._folded.adopted += 1
            return Watermark(arrival.version - 1)
        return Watermark()

    def _take_old(self, arrival: A, version: int, mark: Watermark) -> None:
        known = mark.id_of(version)
        if known is None or known == arrival.event_id:
            self._folded.duplicates.append(arrival)
        else:
            self._park(arrival, mark, "fork", f"version {version} was applied as another event")

    def _take_next(self, arrival: A, mark: Watermark) -> None:
        applied = self._apply(arrival, mark)
        if arrival.key not in self._waiting:
            return  # nearly always: nothing of this key waits
        while applied is not None:
            following = self._following(arrival.key, applied)
            if len(following) != 1:
                self._settle(arrival.key, applied, forked=bool(following))
                return
            applied = self._apply(following[0], applied)

    def _apply(self, arrival: A, mark: Watermark) -> Watermark | None:
        """Apply the next version, or park the key because the handler refused it; None = the key flows no further."""
        reason = self._rejected.get((arrival.key, arrival.version, arrival.event_id))
        if reason is not None:
            self._park(arrival, mark, "poison", reason)
            return None
        after = mark.after(arrival.event_id)
        self._marks[arrival.key] = after
        self._folded.apply.append(arrival)
        waited = self._waiting.get(arrival.key, {}).pop(arrival.event_id, None)
        if waited is not None and (arrival.key, arrival.event_id) in self._stored:
            self._folded.drained.append(arrival)
        return after

    def _following(self, key: str, mark: Watermark) -> list[A]:
        return [arrival for arrival, _ in self._waiting.get(key, {}).values() if arrival.version == mark.version + 1]

    def _settle(self, key: str, mark: Watermark, *, forked: bool) -> None:
        left = [arrival for arrival, _ in self._waiting.get(key, {}).values()]
        parked: Parked | None = None
        if forked:
            parked = "fork"
        elif left:
            parked = "poison" if all(arrival.version is None for arrival in left) else "gap"
        self._marks[key] = mark._replace(parked=parked)

    def _park(self, arrival: A, mark: Watermark, parked: Parked, reason: str) -> None:
        self._marks[arrival.key] = mark._replace(parked=parked)
        self._waiting.setdefault(arrival.key, {}).setdefault(arrival.event_id, (arrival, reason))
