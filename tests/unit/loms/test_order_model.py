"""The model that judges concurrent runs must itself tell right from wrong."""

from tests.order_calls import (
    Answer,
    Available,
    Call,
    Cancel,
    Create,
    Done,
    Expire,
    Info,
    Pay,
    Pieces,
    Placed,
    Refused,
    Shown,
)
from tests.order_model import AWAITING, CANCELLED, PAID, Observed, State, Stock, explained

Answers = list[tuple[Call, Answer]]

EMPTY = State({1: Stock(10, 0)})
TWO = ((1, 2),)


def with_an_order() -> State:
    state = EMPTY.after(Create(7, TWO), Placed(1))
    assert state is not None
    assert state.shows() == Observed({1: (7, AWAITING, 2)}, {1: (10, 2)})
    return state


def test_two_pays_at_once_sell_once() -> None:
    pays: Answers = [(Pay(1), Done()), (Pay(1), Done())]

    assert explained(with_an_order(), pays, Observed({1: (7, PAID, 3)}, {1: (8, 0)}))
    assert explained(with_an_order(), pays, Observed({1: (7, PAID, 3)}, {1: (6, 0)})) is None


def test_of_pay_and_cancel_at_once_one_is_refused() -> None:
    after = Observed({1: (7, CANCELLED, 3)}, {1: (10, 0)})

    assert explained(with_an_order(), [(Pay(1), Refused("IllegalTransition")), (Cancel(1), Done())], after)
    assert explained(with_an_order(), [(Pay(1), Done()), (Cancel(1), Done())], after) is None


def test_a_reader_sees_the_state_before_or_after_a_move_and_nothing_else() -> None:
    after = Observed({1: (7, PAID, 3)}, {1: (8, 0)})

    for seen, possible in ((AWAITING, True), (PAID, True), (CANCELLED, False)):
        answers: Answers = [(Info(1), Shown(7, seen, TWO)), (Pay(1), Done())]
        assert (explained(with_an_order(), answers, after) is not None) is possible


def test_two_creates_never_take_the_same_piece() -> None:
    create = Create(7, ((1, 6),))
    both: Answers = [(create, Placed(1)), (create, Placed(2))]

    assert explained(EMPTY, both, Observed({1: (7, AWAITING, 2), 2: (7, AWAITING, 2)}, {1: (10, 12)})) is None


def test_an_expirer_cancels_what_is_overdue_and_nothing_else() -> None:
    cancelled = Observed({1: (7, CANCELLED, 3)}, {1: (10, 0)})

    assert explained(with_an_order().aged([1]), [(Expire(), Done())], cancelled)
    assert explained(with_an_order(), [(Expire(), Done())], cancelled) is None


def test_an_expirer_leaves_nothing_that_is_overdue() -> None:
    untouched = with_an_order().shows()

    assert explained(with_an_order().aged([1]), [(Expire(), Done())], untouched) is None


def test_an_expirer_may_act_between_two_answers() -> None:
    answers: Answers = [(Available(1), Pieces(10)), (Expire(), Done()), (Cancel(1), Done())]

    assert explained(with_an_order().aged([1]), answers, Observed({1: (7, CANCELLED, 3)}, {1: (10, 0)}))


def test_a_key_is_busy_only_beside_another_call_with_it() -> None:
    keyed = Create(7, TWO, "a")
    busy, placed = Refused("RequestInProgress"), Placed(1)

    assert explained(EMPTY, [(keyed, busy), (keyed, placed)], with_an_order().shows())
    assert explained(EMPTY, [(keyed, busy)], EMPTY.shows()) is None
    assert explained(EMPTY, [(keyed, busy), (keyed, busy)], EMPTY.shows()) is None


def test_a_key_names_one_order_and_one_body() -> None:
    keyed, other = Create(7, TWO, "a"), Create(7, ((1, 3),), "a")
    once, again, reused = Placed(1), Placed(1, replayed=True), Refused("IdempotencyKeyReused")
    after = with_an_order().shows()

    assert explained(EMPTY, [(keyed, again), (keyed, once), (other, reused)], after)
    assert explained(EMPTY, [(keyed, once), (keyed, once)], after) is None
    assert explained(EMPTY, [(keyed, once), (other, again)], after) is None


def test_a_repeated_pay_gets_its_first_answer_and_a_cancel_under_its_key_is_refused() -> None:
    first: Answers = [(Pay(1, "a"), Done()), (Pay(1, "a"), Done(replayed=True))]
    reused: Answers = [(Cancel(1, "a"), Refused("IdempotencyKeyReused"))]
    after = Observed({1: (7, PAID, 3)}, {1: (8, 0)})

    assert explained(with_an_order(), first + reused, after)
    assert explained(with_an_order(), [(Pay(1, "a"), Done(replayed=True))], with_an_order().shows()) is None
