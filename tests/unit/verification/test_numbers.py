"""Ids and versions come from strangers too: what has no room in a fact is refused, never packed."""

import pytest

from verification.facts import NUMBER_MAX, number


@pytest.mark.parametrize("text", [b"1", "42", str(NUMBER_MAX)])
def test_a_positive_number_of_64_bits_is_read(text: str | bytes) -> None:
    assert number(text) == int(text)


@pytest.mark.parametrize("text", [None, b"", "0", "-1", "+1", "1.5", " 1", "abc", "٣", str(NUMBER_MAX + 1), str(2**70)])
def test_anything_else_is_refused(text: str | bytes | None) -> None:
    with pytest.raises(ValueError, match="not a positive number"):
        number(text)
