"""Our reading of compose's variables, which every check of the containers stands on."""

import pytest

from tests.containers.compose import VariableMissing, expand

CASES = {
    "as it is": ("9101", "9101"),
    "a variable": ("${NAME}", "loms"),
    "one that is not there": ("a${NOBODY}b", "ab"),
    "a default": ("${NOBODY:-postgres:5432}", "postgres:5432"),
    "a default that is not needed": ("${NAME:-cart}", "loms"),
    "an empty value counts as none": ("${EMPTY:-otherwise}", "otherwise"),
    "a default with variables": ("${NOBODY:-redis://:${NAME}@${NOBODY:-valkey}/0}", "redis://:loms@valkey/0"),
    "a demand that is met": ("${NAME:?say who}", "loms"),
    "a demand in a default that is not needed": ("${NAME:-${NOBODY:-x}}", "loms"),
    "a dollar": ("$$NAME", "$NAME"),
    "several": ("${NAME}:${NAME}", "loms:loms"),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_a_text_is_read_as_compose_reads_it(text: str, expected: str) -> None:
    assert expand(text, {"NAME": "loms", "EMPTY": ""}) == expected


def test_a_demand_that_is_not_met_is_refused() -> None:
    with pytest.raises(VariableMissing, match="NOBODY"):
        expand("${NOBODY:?say who}", {})


def test_a_form_we_do_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="not one of the forms"):
        expand("${NAME:+instead}", {"NAME": "loms"})
