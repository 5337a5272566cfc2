"""The judge of a chaos run: clean is clean, and every kind of broken promise is called by its name."""

from dataclasses import replace

import pytest

from tests.chaos.facts import Attempt, Audited, Echo, Effect, Outcome, Record, Row, SetAside, Witnesses
from tests.chaos.judge import judge

ONE, TWO = "id-1", "id-2"


def a_sound_run() -> Witnesses:
    """Order 42: made by attempt a, changed by attempt b; one topic of one partition, one consumer."""
    return Witnesses(
        history=[Attempt("a", Outcome.OK, 7, [("42", 1)]), Attempt("b", Outcome.OK, 8, [("42", 2)])],
        orders={"42": 2},
        audit=[Audited("42", 1, 7, "a"), Audited("42", 2, 8, "b")],
        rows=[Row("42", 1, 7, 1, ONE, b"1"), Row("42", 2, 8, 2, TWO, b"2")],
        records=[Record("42", 1, 0, 0, ONE, b"1"), Record("42", 2, 0, 1, TWO, b"2")],
        partitions=1,
        effects=[Effect("ledger", "42", 1, 1, ONE, b"1"), Effect("ledger", "42", 2, 2, TWO, b"2")],
        echoes=[Echo("ledger", ONE), Echo("ledger", TWO)],
        consumers=["ledger"],
    )


def broken(seen: Witnesses) -> tuple[int, int, int, list[str]]:
    verdict = judge(seen)
    return verdict.lost, verdict.inverted, verdict.doubled, list(verdict.invariants())


def test_a_sound_run_is_clean() -> None:
    verdict = judge(a_sound_run(), calm=True)

    assert verdict.clean
    assert (verdict.orders, verdict.changes, verdict.repeats, verdict.uncertain) == (1, 2, 0, 0)


def test_an_acknowledged_change_that_is_gone_is_lost() -> None:
    seen = replace(a_sound_run(), audit=[], orders={}, rows=[], records=[], effects=[], echoes=[])

    assert broken(seen) == (2, 0, 0, ["I-01"])


def test_a_refused_change_that_happened_is_one_too_many() -> None:
    seen = a_sound_run()
    seen.history = [seen.history[0], Attempt("b", Outcome.REFUSED, 8, [("42", 2)])]

    assert broken(seen) == (0, 0, 1, ["I-02"])


def test_an_unknown_attempt_may_have_happened() -> None:
    seen = a_sound_run()
    seen.history = [seen.history[0], Attempt("b", Outcome.UNKNOWN, 8, [("42", 2)])]

    verdict = judge(seen)

    assert verdict.clean
    assert verdict.uncertain == 1


def test_an_unknown_attempt_may_not_have_happened() -> None:
    seen = a_sound_run()
    seen.history = [*seen.history, Attempt("c", Outcome.UNKNOWN, 9, [("42", 3)])]

    assert judge(seen).clean


def test_an_unknown_attempt_that_happened_by_half_is_torn() -> None:
    seen = a_sound_run()
    seen.history = [seen.history[0], Attempt("b", Outcome.UNKNOWN, 8, [("42", 2), ("43", 1)])]

    assert broken(seen) == (1, 0, 0, ["I-01"])


def test_a_change_nobody_asked_for_is_one_too_many() -> None:
    seen = a_sound_run()
    seen.history = seen.history[:1]

    assert broken(seen) == (0, 0, 1, ["I-02"])


def test_a_hole_in_the_versions_is_a_loss() -> None:
    seen = a_sound_run()
    seen.history = [seen.history[0], Attempt("b", Outcome.OK, 8, [("42", 3)])]
    seen.audit = [seen.audit[0], Audited("42", 3, 8, "b")]
    seen.rows = [seen.rows[0], Row("42", 3, 8, 2, TWO, b"2")]
    seen.records = [seen.records[0], Record("42", 3, 0, 1, TWO, b"2")]
    seen.effects = [seen.effects[0], Effect("ledger", "42", 3, 2, TWO, b"2")]

    assert broken(seen) == (1, 0, 0, ["I-07"])


def test_a_change_without_a_row_is_lost() -> None:
    seen = a_sound_run()
    seen.rows, seen.records, seen.effects = seen.rows[:1], seen.records[:1], seen.effects[:1]
    seen.echoes = seen.echoes[:1]

    assert broken(seen) == (1, 0, 0, ["I-08"])


def test_a_row_of_another_transaction_is_noticed() -> None:
    seen = a_sound_run()
    seen.rows = [seen.rows[0], Row("42", 2, 9, 2, TWO, b"2")]

    assert broken(seen) == (1, 0, 0, ["I-08"])


def test_a_row_without_a_change_is_one_too_many() -> None:
    seen = a_sound_run()
    seen.history, seen.audit, seen.orders = seen.history[:1], seen.audit[:1], {"42": 1}

    assert broken(seen) == (0, 0, 1, ["I-08"])


def test_rows_numbered_against_their_versions_are_inverted() -> None:
    seen = a_sound_run()
    seen.rows = [Row("42", 1, 7, 2, ONE, b"1"), Row("42", 2, 8, 1, TWO, b"2")]

    assert broken(seen) == (0, 1, 0, ["I-08"])


def test_a_row_that_never_came_to_the_topic_is_lost() -> None:
    seen = a_sound_run()
    seen.records, seen.effects, seen.echoes = seen.records[:1], seen.effects[:1], seen.echoes[:1]

    assert broken(seen) == (2, 0, 0, ["I-10", "I-17"])


def test_a_record_of_nothing_is_one_too_many() -> None:
    seen = a_sound_run()
    seen.records = [*seen.records, Record("43", 1, 0, 2, "id-3", b"3")]

    assert broken(seen) == (0, 0, 1, ["I-09"])


def test_a_record_with_another_body_is_a_loss() -> None:
    seen = a_sound_run()
    seen.records = [seen.records[0], Record("42", 2, 0, 1, TWO, b"3")]

    assert broken(seen) == (1, 0, 0, ["I-09"])


@pytest.mark.parametrize(("key", "partition"), [("42", 1), (None, 0)])
def test_a_record_outside_its_keys_partition_is_inverted(key: str | None, partition: int) -> None:
    seen = a_sound_run()
    seen.records = [seen.records[0], Record(key, 2, partition, 1, TWO, b"2")]

    assert broken(seen) == (0, 1, 0, ["I-11"])


def test_first_occurrences_against_the_versions_are_inverted() -> None:
    seen = a_sound_run()
    seen.records = [Record("42", 2, 0, 0, TWO, b"2"), Record("42", 1, 0, 1, ONE, b"1")]

    assert broken(seen) == (0, 1, 0, ["I-12"])


def test_a_repeat_is_counted_and_forgiven() -> None:
    seen = a_sound_run()
    seen.records = [*seen.records, Record("42", 1, 0, 2, ONE, b"1", "another owner")]

    verdict = judge(seen)

    assert verdict.clean
    assert verdict.repeats == 1


def test_a_repeat_from_the_same_sender_is_not_forgiven() -> None:
    seen = a_sound_run()
    seen.records = [*seen.records, Record("42", 1, 0, 2, ONE, b"1")]

    assert broken(seen) == (0, 0, 1, ["I-13"])


def test_a_repeat_without_a_failure_is_not_forgiven() -> None:
    seen = a_sound_run()
    seen.records = [*seen.records, Record("42", 1, 0, 2, ONE, b"1", "another owner")]

    assert judge(seen, calm=True).doubled == 1


def test_an_effect_that_came_twice_is_doubled() -> None:
    seen = a_sound_run()
    seen.effects = [*seen.effects, Effect("ledger", "42", 2, 3, TWO, b"2")]
    seen.echoes = [*seen.echoes, Echo("ledger", TWO)]

    assert broken(seen) == (0, 0, 1, ["I-14"])


def test_an_effect_without_its_echo_is_a_loss() -> None:
    seen = a_sound_run()
    seen.echoes = seen.echoes[:1]

    assert broken(seen) == (1, 0, 0, ["I-14"])


def test_effects_against_the_versions_are_inverted() -> None:
    seen = a_sound_run()
    seen.effects = [Effect("ledger", "42", 2, 1, TWO, b"2"), Effect("ledger", "42", 1, 2, ONE, b"1")]

    assert broken(seen) == (0, 1, 0, ["I-15"])


def test_an_effect_of_nothing_is_one_too_many() -> None:
    seen = a_sound_run()
    seen.effects = [*seen.effects, Effect("ledger", "43", 1, 3, "id-3", b"3")]

    assert broken(seen) == (0, 0, 1, ["I-14"])


def test_what_is_set_aside_without_reason_is_lost() -> None:
    seen = a_sound_run()
    seen.effects, seen.echoes, seen.parked = seen.effects[:1], seen.echoes[:1], [SetAside("ledger", "42", TWO)]

    assert broken(seen) == (1, 0, 0, ["I-17"])


def test_poison_set_aside_is_where_it_belongs() -> None:
    seen = a_sound_run()
    seen.effects, seen.echoes, seen.parked = seen.effects[:1], seen.echoes[:1], [SetAside("ledger", "42", TWO)]

    verdict = judge(seen, poisoned={"42"})

    assert verdict.clean
    assert verdict.parked == 1


def test_a_consumer_that_applied_nothing_lost_everything() -> None:
    seen = a_sound_run()
    seen.consumers = ["ledger", "mirror"]

    assert broken(seen) == (2, 0, 0, ["I-17"])
