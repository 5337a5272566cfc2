"""A run can be had again: its seed decides everything that strikes, and nothing is left out."""

from itertools import islice

from tests.chaos.faults import FAULTS
from tests.chaos.schedule import steps, steps_of_a_round


def test_the_same_seed_gives_the_same_schedule() -> None:
    assert list(islice(steps(7), 50)) == list(islice(steps(7), 50))


def test_another_seed_gives_another_schedule() -> None:
    assert list(islice(steps(7), 50)) != list(islice(steps(8), 50))


def test_a_round_holds_every_fault_once() -> None:
    struck = [fault.name for step in steps_of_a_round(7) for fault in step.faults]

    assert sorted(struck) == sorted(fault.name for fault in FAULTS.values())


def test_faults_that_strike_together_do_not_claim_the_same() -> None:
    pairs = [step.faults for step in islice(steps(7), 500) if len(step.faults) > 1]

    assert pairs
    assert all(not one.claims & other.claims for one, other in pairs)
