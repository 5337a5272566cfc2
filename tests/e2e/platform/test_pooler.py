"""The platform with a pgbouncer before the database of LOMS: orders reach people, also after the pooler was killed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.platform import Platform, kill_nine, running_platform
from tests.poolers import require_pgbouncer
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    require_pgbouncer()
    with running_platform(tmp_path_factory.mktemp("pooled"), ONELANE_POOLER="1") as platform:
        yield platform


def test_the_pooler_can_be_looked_at(pooled: Platform) -> None:
    listed = json.loads(pooled.onelane("urls", "--output", "json"))["urls"]

    addresses = {each["name"]: each["address"] for each in listed}
    assert addresses["pooler-loms"].startswith("postgresql://loms:***@127.0.0.1:")


async def test_orders_through_the_pooler_are_told_and_nothing_is_lost_when_it_is_killed(pooled: Platform) -> None:
    pooled.onelane("demo", "orders", "--count", "20", "--rate", "40")
    kill_nine(pooled.process("pgbouncer"))
    await eventually(lambda: pooled.restarts("pgbouncer") == 1 and pooled.ready("pgbouncer", "loms-api"))
    pooled.onelane("demo", "orders", "--count", "20", "--rate", "40")

    report = json.loads(pooled.onelane("verify", "--since", "30m", "--output", "json"))

    assert report["findings"] == []
    assert report["witnesses"]["kafka"]["matched"] == report["witnesses"]["outbox"]["rows"] >= 80
