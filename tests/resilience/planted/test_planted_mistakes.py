"""Who tests the tests: the scenes that clear the right parts convict every wrong one."""

from functools import cache, partial

import pytest

from tests.given import SharedKafka, SharedPostgres, StartKafka
from tests.planted.order_stand import OrderScene
from tests.planted.register import MISTAKES, RUNS_MAX, SCENES, Mistake, Servers, play
from tests.planted.scenes import Scene

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("planted")]


@pytest.fixture
def servers(postgres: SharedPostgres, kafka: SharedKafka, own_kafka: StartKafka) -> Servers:
    return Servers(postgres.admin_dsn, kafka.bootstrap, cache(partial(own_kafka, 3)))


def of_one_broker(scene: Scene | OrderScene) -> bool:
    return scene.brokers == 1


@pytest.mark.parametrize(
    "scene", [scene for scene in SCENES if of_one_broker(scene)], ids=lambda scene: scene.play.__name__
)
async def test_the_right_parts_are_cleared(servers: Servers, scene: Scene) -> None:
    verdict = await play(servers, scene)

    assert verdict.clean, verdict.findings


@pytest.mark.parametrize(
    "mistake", [each for each in MISTAKES if of_one_broker(each.scene)], ids=lambda mistake: mistake.name
)
async def test_a_planted_mistake_is_convicted(servers: Servers, mistake: Mistake) -> None:
    """Some are races: as `make planted`, play each until it is found, a few times at most."""
    for _ in range(RUNS_MAX):
        verdict = await play(servers, mistake.scene, mistake.parts)
        if mistake.breaks in verdict.invariants():
            break

    assert mistake.breaks in verdict.invariants()


async def test_one_copy_is_convicted_where_two_are_cleared(servers: Servers) -> None:
    [one_copy] = [mistake for mistake in MISTAKES if not of_one_broker(mistake.scene)]

    right, wrong = await play(servers, one_copy.scene), await play(servers, one_copy.scene, one_copy.parts)

    assert right.clean, right.findings
    assert wrong.lost >= 3
