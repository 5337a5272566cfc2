"""The arithmetic of the measurements: what counts as lost, doubled, out of order; how ratios are spelled."""

from bench.events import FIRST_NUMBER, ORDERS, PAYLOAD_BYTES, number_of, payload
from bench.ratios import Ratio, quantile, ratio
from bench.turn import faults, waits


def test_a_body_carries_its_number_and_has_one_size() -> None:
    body = payload(FIRST_NUMBER + 17)

    assert (number_of(body), len(body)) == (FIRST_NUMBER + 17, PAYLOAD_BYTES)


def test_what_never_came_is_lost_and_what_came_twice_is_doubled() -> None:
    assert faults({1, 2, 3}, [1, 2, 2]) == {"lost": 1, "doubled": 1, "disordered": 0}


def test_only_events_of_one_order_can_be_out_of_order() -> None:
    of_one_order = faults({1, 1 + ORDERS}, [1 + ORDERS, 1])
    of_two_orders = faults({1, 2}, [2, 1])

    assert (of_one_order["disordered"], of_two_orders["disordered"]) == (1, 0)


def test_a_repeat_of_something_earlier_is_not_out_of_order() -> None:
    assert faults({1, 1 + ORDERS}, [1, 1 + ORDERS, 1])["disordered"] == 0


def test_a_wait_ends_with_the_first_arrival() -> None:
    assert waits({7: 1_000_000}, [(7, 3_000_000), (7, 9_000_000), (8, 1)]) == [2.0]


def test_a_quantile_is_a_value_that_occurred() -> None:
    assert [quantile([1.0, 2.0, 3.0, 4.0], q) for q in (0.0, 0.5, 0.99)] == [1.0, 3.0, 4.0]


def test_a_ratio_is_taken_round_by_round_and_told_by_its_middle() -> None:
    [made] = ratio("latency-1000-p50", [1.0, 2.0, 9.0], [2.0, 2.0, 3.0])

    assert made.line() == "bench: latency-1000-p50 1.00 [0.50..3.00]"


def test_there_is_no_ratio_to_somebody_who_took_no_part() -> None:
    assert ratio("drain-debezium", [1.0], []) == []


def test_a_ratio_of_one_round_has_no_spread() -> None:
    assert Ratio("wake", (0.987,)).line() == "bench: wake 0.99 [0.99..0.99]"
