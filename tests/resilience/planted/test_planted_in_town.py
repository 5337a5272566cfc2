"""The scenes of the notification service clear the right parts and convict every wrong one."""

import pytest

from tests.given import SharedPostgres
from tests.planted.town_register import MISTAKES, SCENES, TownMistake, play
from tests.planted.town_stand import TownScene

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("planted")]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.play.__name__)
async def test_the_right_parts_are_cleared(postgres: SharedPostgres, scene: TownScene) -> None:
    verdict = await play(postgres.admin_dsn, scene)

    assert verdict.clean, verdict.findings


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
async def test_a_wrong_part_is_convicted(postgres: SharedPostgres, mistake: TownMistake) -> None:
    verdict = await play(postgres.admin_dsn, mistake.scene, mistake.parts)

    assert mistake.breaks in verdict.invariants()
