"""Each record that took effect after a later one of its partition is found, however far apart they lie."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from verification.log_order import Applied, LogOrder
from verification.report import Findings, Kind


def judged(*effects: tuple[int, int, int]) -> list[int]:
    """Partition, offset and place of each effect; the orders found, which are named by their place here."""
    findings = Findings()
    with closing(LogOrder()) as log_order:
        for order_id, (partition, offset, seq) in enumerate(effects):
            log_order.add(partition, Applied(offset, seq, order_id, 1))
        log_order.judge(findings)
    assert set(findings.counts) <= {Kind.PASSED_OVER}
    return sorted(finding.order_id or 0 for finding in findings.first)


def test_effects_in_the_order_of_the_log_pass() -> None:
    assert judged((0, 0, 1), (0, 1, 2), (0, 500_000, 9), (0, 2, 8)) == []


def test_the_one_that_was_passed_over_is_named_and_not_those_after_it() -> None:
    assert judged((0, 0, 9), (0, 1, 1), (0, 2, 2), (0, 3, 10)) == [0]


def test_a_record_is_found_to_be_passed_over_far_behind() -> None:
    assert judged((0, 0, 9), (0, 1_000_000, 1)) == [0]


def test_partitions_do_not_wait_for_one_another() -> None:
    assert judged((0, 0, 9), (1, 1, 1), (2, 2, 5)) == []


@given(st.permutations(range(12)), st.sampled_from([1, 40_000]))
def test_all_and_only_those_with_an_earlier_effect_behind_them_are_found(places: list[int], stride: int) -> None:
    found = judged(*[(0, number * stride, place + 1) for number, place in enumerate(places)])

    expected = Counter(number for number, place in enumerate(places) if any(later < place for later in places[number:]))
    assert Counter(found) == expected
