"""How much to read at once follows what rows weigh."""

from outbox.portion import Portion
from tests.outbox_rows import a_row


def test_small_rows_are_asked_for_in_growing_numbers() -> None:
    portion = Portion(rows_max=5_000, bytes_max=16_000_000)
    asked = [portion.rows]
    for _ in range(3):
        portion.learn([a_row("orders", 1, payload=b"x" * 100)])
        asked.append(portion.rows)

    assert asked == [256, 1_024, 4_096, 5_000]


def test_heavy_rows_are_asked_for_in_small_numbers() -> None:
    portion = Portion(rows_max=5_000, bytes_max=16_000_000)

    portion.learn([a_row("orders", 1, payload=b"x" * 999_999)])

    assert portion.rows == 16


def test_one_row_is_always_asked_for() -> None:
    portion = Portion(rows_max=5_000, bytes_max=10)

    portion.learn([a_row("orders", 1, payload=b"x" * 100)])

    assert portion.rows == 1


def test_an_empty_read_teaches_nothing() -> None:
    portion = Portion(rows_max=5_000, bytes_max=10)

    portion.learn([])

    assert portion.rows == 256
