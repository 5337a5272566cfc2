"""The alarm counts every step of a key's versions other than one up."""

import pytest

from outbox.versions import Steps, VersionAlarm
from tests.outbox_rows import a_row


@pytest.mark.parametrize(
    ("versions", "steps"),
    [
        ([1, 2, 3], Steps()),
        ([7, 8], Steps()),
        ([1, 3], Steps(gaps=1)),
        ([1, 2, 2], Steps(inversions=1)),
        ([2, 1, 2], Steps(inversions=1)),
        ([None, None], Steps()),
    ],
)
def test_steps_of_one_key_are_judged(versions: list[int | None], steps: Steps) -> None:
    rows = [a_row("orders", seq, version=version) for seq, version in enumerate(versions, 1)]

    assert VersionAlarm().acknowledged(rows) == steps


def test_keys_and_topics_count_apart_and_across_batches() -> None:
    alarm = VersionAlarm()
    alarm.acknowledged([a_row("orders", 1, key="1", version=1), a_row("audit", 2, key="1", version=5)])

    steps = alarm.acknowledged([a_row("orders", 3, key="1", version=2), a_row("audit", 4, key="1", version=7)])

    assert steps == Steps(gaps=1)


def test_keys_not_seen_for_long_are_forgotten_and_believed() -> None:
    alarm = VersionAlarm(keys_max=4)
    alarm.acknowledged([a_row("orders", seq, key=str(seq), version=1) for seq in range(1, 7)])

    steps = alarm.acknowledged([a_row("orders", 7, key="1", version=9), a_row("orders", 8, key="6", version=9)])

    assert steps == Steps(gaps=1)
