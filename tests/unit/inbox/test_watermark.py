"""The fold: which arrivals are applied, in which order, and what waits for what."""

from dataclasses import dataclass
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from inbox.watermark import TAIL, Fold, Ref, Watermark, fold_ids, fold_versions, rebased


@dataclass(frozen=True)
class Arrived:
    key: str
    version: int | None
    event_id: UUID
    fault: str | None = None


def arrived(version: int, *, key: str = "42", history: int = 0) -> Arrived:
    """An arrival whose id tells its key, version and history, as a producer's rows do."""
    return Arrived(key, version, UUID(int=(history << 64) + (hash_of(key) << 32) + version))


def unreadable(place: int, *, key: str = "42") -> Arrived:
    return Arrived(key, None, UUID(int=(9 << 96) + (hash_of(key) << 32) + place), "header ce_id is missing")


def hash_of(key: str) -> int:
    return int.from_bytes(key.encode(), "big") % 2**31


def ref(arrival: Arrived) -> Ref:
    return arrival.key, arrival.version, arrival.event_id


def versions(folded: Fold[Arrived]) -> list[int | None]:
    return [arrival.version for arrival in folded.apply]


def test_the_next_version_is_applied() -> None:
    folded = fold_versions([arrived(1), arrived(2)], {})

    assert versions(folded) == [1, 2]
    assert folded.watermarks["42"] == Watermark(2, (arrived(2).event_id, arrived(1).event_id))


def test_a_version_with_the_id_it_was_applied_with_is_a_duplicate() -> None:
    folded = fold_versions([arrived(2)], {"42": Watermark(2, (arrived(2).event_id, arrived(1).event_id))})

    assert folded.duplicates == [arrived(2)]
    assert folded.watermarks == {}


def test_a_version_older_than_the_stored_tail_is_a_duplicate() -> None:
    folded = fold_versions([arrived(1, history=1)], {"42": Watermark(40, (arrived(40).event_id,))})

    assert len(folded.duplicates) == 1


def test_an_applied_version_with_another_id_forks_its_key() -> None:
    mark = Watermark(2, (arrived(2).event_id, arrived(1).event_id))

    folded = fold_versions([arrived(2, history=1), arrived(3, history=1)], {"42": mark})

    assert folded.apply == []
    assert folded.newly_parked == {"42": "fork"}
    assert [(a.version, reason) for a, reason in folded.park] == [
        (2, "version 2 was applied as another event"),
        (3, "behind a parked event"),
    ]


def test_a_missing_version_parks_its_key_and_no_other() -> None:
    folded = fold_versions([arrived(1), arrived(3), arrived(1, key="7")], {})

    assert [(a.key, a.version) for a in folded.apply] == [("42", 1), ("7", 1)]
    assert folded.newly_parked == {"42": "gap"}
    assert [(a.version, reason) for a, reason in folded.park] == [(3, "version 2 is missing")]


def test_the_missing_version_drains_what_waited_for_it() -> None:
    mark = Watermark(1, (arrived(1).event_id,), "gap")

    folded = fold_versions([arrived(2)], {"42": mark}, waiting={"42": [arrived(3), arrived(4)]})

    assert versions(folded) == [2, 3, 4]
    assert folded.drained == [arrived(3), arrived(4)]
    assert folded.watermarks["42"].parked is None


def test_a_second_gap_keeps_the_rest_waiting() -> None:
    mark = Watermark(1, (arrived(1).event_id,), "gap")

    folded = fold_versions([arrived(2)], {"42": mark}, waiting={"42": [arrived(3), arrived(5)]})

    assert versions(folded) == [2, 3]
    assert folded.watermarks["42"].parked == "gap"
    assert folded.park == []


def test_two_events_that_waited_for_the_same_place_are_a_fork() -> None:
    mark = Watermark(1, (arrived(1).event_id,), "gap")

    folded = fold_versions([arrived(2)], {"42": mark}, waiting={"42": [arrived(3), arrived(3, history=1)]})

    assert versions(folded) == [2]
    assert folded.watermarks["42"].parked == "fork"


def test_a_gap_filled_within_the_batch_leaves_nothing_parked() -> None:
    folded = fold_versions([arrived(2), arrived(1)], {})

    assert versions(folded) == [1, 2]
    assert folded.park == []
    assert folded.drained == []
    assert folded.newly_parked == {}


def test_a_key_first_seen_above_one_is_a_gap_unless_adopted() -> None:
    strict = fold_versions([arrived(5)], {})
    adopting = fold_versions([arrived(5), arrived(6)], {}, adopt=True)

    assert strict.newly_parked == {"42": "gap"}
    assert versions(adopting) == [5, 6]
    assert adopting.adopted == 1


def test_a_refused_event_parks_its_key_and_what_follows_waits() -> None:
    refused = {ref(arrived(2)): "unknown type"}

    folded = fold_versions([arrived(1), arrived(2), arrived(3), arrived(1, key="7")], {}, rejected=refused)

    assert [(a.key, a.version) for a in folded.apply] == [("42", 1), ("7", 1)]
    assert [reason for _, reason in folded.park] == ["unknown type", "behind a parked event"]
    assert folded.newly_parked == {"42": "poison"}


def test_an_event_refused_while_draining_stops_the_drain_and_stays_where_it_is() -> None:
    mark = Watermark(1, (arrived(1).event_id,), "gap")
    refused = {ref(arrived(3)): "unknown type"}

    folded = fold_versions([arrived(2)], {"42": mark}, waiting={"42": [arrived(3), arrived(4)]}, rejected=refused)

    assert versions(folded) == [2]
    assert folded.watermarks["42"].parked == "poison"
    assert (folded.park, folded.drained) == ([], [])


def test_an_unreadable_record_parks_its_key() -> None:
    folded = fold_versions([arrived(1), unreadable(7), arrived(2)], {})

    assert versions(folded) == [1]
    assert folded.newly_parked == {"42": "poison"}
    assert [reason for _, reason in folded.park] == ["header ce_id is missing", "behind a parked event"]


def test_an_unreadable_record_behind_a_gap_still_waits_when_the_gap_is_filled() -> None:
    mark = Watermark(1, (arrived(1).event_id,), "gap")

    folded = fold_versions([arrived(2)], {"42": mark}, waiting={"42": [unreadable(7), arrived(3)]})

    assert versions(folded) == [2, 3]
    assert folded.watermarks["42"].parked == "poison"


def test_a_repeat_of_something_parked_is_a_duplicate() -> None:
    mark = Watermark(1, (arrived(1).event_id,), "gap")

    folded = fold_versions([arrived(3), arrived(2)], {"42": mark}, waiting={"42": [arrived(3)]})

    assert folded.duplicates == [arrived(3)]
    assert versions(folded) == [2, 3]


def test_two_keys_with_the_same_id_do_not_hide_each_other() -> None:
    twin = Arrived("7", 3, arrived(3).event_id)
    mark = Watermark(1, (arrived(1).event_id,), "gap")

    folded = fold_versions([twin, arrived(2)], {"42": mark}, waiting={"42": [arrived(3)]})

    assert versions(folded) == [2, 3]
    assert [arrival for arrival, _ in folded.park] == [twin]


def test_the_tail_keeps_the_last_sixteen_ids() -> None:
    folded = fold_versions([arrived(n) for n in range(1, 21)], {})

    ids = folded.watermarks["42"].event_ids
    assert len(ids) == TAIL == 16
    assert ids[0] == arrived(20).event_id


def test_releasing_a_gap_gives_the_missing_versions_up() -> None:
    assert rebased(Watermark(2, (arrived(2).event_id,), "gap"), [5, 6]) == Watermark(4)


def test_releasing_a_fork_follows_the_new_history() -> None:
    mark = Watermark(3, (arrived(3).event_id, arrived(2).event_id, arrived(1).event_id), "fork")

    assert rebased(mark, [3, 4]) == Watermark(2, (arrived(2).event_id, arrived(1).event_id))


def test_releasing_a_poison_changes_nothing_but_the_waiting() -> None:
    mark = Watermark(2, (arrived(2).event_id, arrived(1).event_id), "poison")

    assert rebased(mark, [3, 4]) == Watermark(2, mark.event_ids)
    assert rebased(mark, [None]) == Watermark(2, mark.event_ids)


def test_without_versions_each_id_is_applied_once() -> None:
    one, two = arrived(1), arrived(2)

    folded = fold_ids([one, two, one], fresh={one.event_id, two.event_id}, parked=())

    assert folded.apply == [one, two]
    assert folded.duplicates == [one]


def test_without_versions_an_id_seen_before_is_a_duplicate() -> None:
    assert fold_ids([arrived(1)], fresh=(), parked=()).duplicates == [arrived(1)]


def test_without_versions_a_refused_event_parks_its_key() -> None:
    one, two, other = arrived(1), arrived(2), arrived(1, key="7")
    everything = [one.event_id, two.event_id, other.event_id]

    folded = fold_ids([one, two, other], fresh=everything, parked=(), rejected={ref(one): "no"})

    assert folded.apply == [other]
    assert [reason for _, reason in folded.park] == ["no", "behind a parked event"]
    assert folded.watermarks == {"42": Watermark(parked="poison")}


def test_without_versions_events_queue_behind_a_parked_key() -> None:
    folded = fold_ids([arrived(1)], fresh=[arrived(1).event_id], parked={"42"})

    assert folded.apply == []
    assert len(folded.park) == 1


class Store:
    """What the database keeps between batches, in memory, to fold a whole history."""

    def __init__(self) -> None:
        self.marks: dict[str, Watermark] = {}
        self.parked: dict[tuple[str, UUID], Arrived] = {}
        self.applied: list[Arrived] = []

    def take(self, batch: list[Arrived], rejected: dict[Ref, str]) -> None:
        folded = fold_versions(batch, self.marks, waiting=self._waiting(batch), rejected=rejected)
        self.applied += folded.apply
        self.marks |= folded.watermarks
        for arrival in folded.drained:
            del self.parked[arrival.key, arrival.event_id]
        for arrival, _ in folded.park:
            self.parked.setdefault((arrival.key, arrival.event_id), arrival)

    def _waiting(self, batch: list[Arrived]) -> dict[str, list[Arrived]]:
        next_ones = {key: mark.version + 1 for key, mark in self.marks.items() if mark.parked == "gap"}
        keys = {a.key for a in batch if next_ones.get(a.key) == a.version}
        return {key: [a for a in self.parked.values() if a.key == key] for key in keys}


arrivals = st.lists(
    st.one_of(
        st.builds(arrived, st.integers(1, 6), key=st.sampled_from(["a", "b"]), history=st.sampled_from([0, 0, 0, 1])),
        st.builds(unreadable, st.integers(0, 3), key=st.sampled_from(["a", "b"])),
    ),
    max_size=30,
)
refusals = st.sets(st.builds(arrived, st.integers(1, 6), key=st.just("a")).map(ref), max_size=2)


@given(arrivals, refusals, st.lists(st.integers(1, 5), max_size=30))
def test_other_cuts_into_batches_change_nothing(log: list[Arrived], refused: set[Ref], cuts: list[int]) -> None:
    rejected = dict.fromkeys(refused, "no")
    whole, pieces = Store(), Store()

    whole.take(log, rejected)
    rest = list(log)
    for size in [*cuts, len(log) or 1]:
        pieces.take(rest[:size], rejected)
        rest = rest[size:]

    for key in ("a", "b"):
        assert [a for a in whole.applied if a.key == key] == [a for a in pieces.applied if a.key == key]
    assert whole.marks == pieces.marks
    assert whole.parked == pieces.parked


@given(arrivals, refusals)
def test_no_version_is_skipped_or_applied_twice(log: list[Arrived], refused: set[Ref]) -> None:
    store = Store()

    for arrival in log:
        store.take([arrival], dict.fromkeys(refused, "no"))

    for key in ("a", "b"):
        done = [a.version for a in store.applied if a.key == key]
        assert done == list(range(1, len(done) + 1))
        mark = store.marks.get(key, Watermark())
        assert mark.version == len(done)
        assert (mark.parked is not None) == any(a.key == key for a in store.parked.values())


@given(st.permutations([1, 2, 3, 4, 5, 6]), st.lists(st.integers(1, 6), max_size=10))
def test_any_order_with_any_repeats_ends_with_everything_applied(order: list[int], repeats: list[int]) -> None:
    store = Store()

    for version in [*order, *repeats]:
        store.take([arrived(version)], {})

    assert [a.version for a in store.applied] == [1, 2, 3, 4, 5, 6]
    assert store.parked == {}
