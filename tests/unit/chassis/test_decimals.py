"""A number in a path or a query is what everybody writes, or it is refused by its bounds."""

from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from chassis.decimals import decimal

SMALL = TypeAdapter(Annotated[int, decimal(least=0, most=1000)])


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("10", 10), ("1000", 1000)])
def test_plain_digits_are_a_number(text: str, number: int) -> None:
    assert SMALL.validate_python(text) == number


@pytest.mark.parametrize(
    "text", ["", "-1", "1001", "9" * 5_000, "1_0", "1.0", " 1", "1 ", "1\n", "+5", "-0", "05", "00", "1e2", "٣", "five"]
)
def test_anything_else_is_refused_and_told_both_bounds(text: str) -> None:
    with pytest.raises(ValidationError, match="a whole number from 0 to 1000 in plain decimal digits") as refused:
        SMALL.validate_python(text)

    assert refused.value.errors()[0]["input"] == text
