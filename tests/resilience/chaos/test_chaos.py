"""Every fault once against libraries at work: nothing lost, inverted or doubled; and a planted mistake ends it red."""

from pathlib import Path

import pytest

from tests.chaos.runner import CONTROL_PATIENCE_SECONDS, Run
from tests.chaos.scene import scene
from tests.chaos.schedule import steps_of_a_round
from tests.resilience.chaos.conftest import Victims

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400), pytest.mark.xdist_group("chaos")]

SEED = 20261124


async def test_every_fault_once_loses_inverts_and_doubles_nothing(victims: Victims, tmp_path: Path) -> None:
    async with scene(tmp_path, victims.postgres, victims.kafka, seed=SEED) as made:
        outcome = await Run(made, tell=print).play(steps_of_a_round(SEED))

    assert outcome.green, str(outcome)
    assert outcome.faults == 13


async def test_a_relay_that_advances_before_the_answer_ends_it_red(victims: Victims, tmp_path: Path) -> None:
    async with scene(tmp_path, victims.postgres, victims.kafka, seed=SEED, control="PB-07") as made:
        run = Run(made, tell=print, orders_min=0, patience_seconds=CONTROL_PATIENCE_SECONDS)
        outcome = await run.play(steps_of_a_round(SEED, ["kill_broker"]))

    assert outcome.judgement.lost > 0
