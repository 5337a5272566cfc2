"""Facts come back grouped by order, all of them, however little memory they were given."""

from hypothesis import given
from hypothesis import strategies as st

from verification.facts import (
    Accepted,
    Audited,
    Call,
    Committed,
    Current,
    Ending,
    Noted,
    Published,
    SetAside,
    State,
    Status,
)
from verification.spool import Spool, Story

EVENT, DIGEST = b"e" * 16, b"d" * 16


def test_every_kind_of_fact_comes_back_as_it_went_in() -> None:
    committed = Committed(7, 1, 100, EVENT, DIGEST, 4711, 1795519179.25, Status.NEW, inside=True)
    audited = Audited(7, 1, 0, 4711, 1795519179.25, Status.NEW, inside=True)
    published = Published(7, 1, 0, 55, EVENT, DIGEST, 1795519179.25, 1795519179.5, 0)
    noted = Noted(7, 1, 9, EVENT, State.DELIVERED, Ending.DONE, Ending.NONE)
    accepted = Accepted(7, 1, 3, Call.SEND_CARD)
    set_aside = SetAside(7, EVENT)
    current = Current(7, 1, Status.NEW, began=True)
    with Spool(buckets=4) as spool:
        for fact in (committed, audited, published, noted, accepted, set_aside, current):
            spool.add(fact)

        [stories] = spool.stories()

    assert stories == {
        7: Story(7, [committed], [published], [noted], [accepted], [set_aside], current, [audited]),
    }


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 9)), max_size=200))
def test_a_small_buffer_loses_and_doubles_nothing(calls: list[tuple[int, int]]) -> None:
    with Spool(buckets=5, buffer_bytes=64) as spool:
        for seq, (order_id, version) in enumerate(calls):
            spool.add(Accepted(order_id, version, seq, Call.EDIT_CARD))

        found = [
            (fact.seq, fact.order_id, fact.version)
            for stories in spool.stories()
            for story in stories.values()
            for fact in story.accepted
        ]

    assert sorted(found) == [(seq, order_id, version) for seq, (order_id, version) in enumerate(calls)]


def test_an_order_is_in_one_bucket_only() -> None:
    with Spool(buckets=3, buffer_bytes=1) as spool:
        for order_id in (1, 2, 3, 1, 2, 3):
            spool.add(SetAside(order_id, EVENT))

        buckets = [sorted(stories) for stories in spool.stories()]

    assert sorted(buckets) == [[1], [2], [3]]
