"""Event ids are UUID version 7."""

from outbox import uuid7


def test_an_id_is_its_moment_its_fraction_and_chance() -> None:
    made = uuid7(nanoseconds=lambda: 1_645_557_742_000_500_000, entropy=lambda count: b"\xff" * count)

    assert str(made) == "017f22e2-79b0-7800-bfff-ffffffffffff"
    assert made.version == 7


def test_ids_sort_by_their_moment() -> None:
    moments = [1_700_000_000_000_000_000 + step * 1_000 for step in range(50)]

    made = [uuid7(nanoseconds=lambda at=moment: at) for moment in moments]  # type: ignore[misc]  # a default binds it

    assert made == sorted(made)


def test_ids_of_one_moment_differ() -> None:
    assert len({uuid7(nanoseconds=lambda: 1) for _ in range(1_000)}) == 1_000
