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


def test_what_is_out_of_step_is_named_by_a_sample() -> None:
    rows = [a_row("orders", version, key="42") for version in (1, 3, 2)]

    steps = VersionAlarm().acknowledged(rows)

    assert (steps.gaps, steps.inversions) == (1, 1)
    assert steps.samples == ("orders/42: 3 after 1", "orders/42: 2 after 3")


def test_the_sample_is_short() -> None:
    rows = [a_row("orders", version) for version in range(1, 41, 2)]

    assert len(VersionAlarm().acknowledged(rows).samples) == 5
