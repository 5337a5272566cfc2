"""Whole numbers in paths and queries, which come as text: decimal digits as everybody writes them, and nothing else.

pydantic alone takes `1_0`, `1.0`, ` 1`, `+5` and `05` for numbers too, so that a slip acts on somebody else's id.
"""

import re

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_PLAIN = re.compile(r"0|[1-9][0-9]*")


def decimal(*, least: int, most: int) -> BeforeValidator:
    """Return the rule for one such number, beside a `Path` or `Query` with the same bounds.

    Whatever breaks it is refused in one sentence that names both bounds; those say them to OpenAPI.
    """
    digits_max = len(str(most))

    def checked(text: object) -> int:
        if isinstance(text, str) and len(text) <= digits_max and _PLAIN.fullmatch(text) and least <= int(text) <= most:
            return int(text)
        raise PydanticCustomError(
            "decimal",
            "Input should be a whole number from {least} to {most} in plain decimal digits",
            {"least": least, "most": most},
        )

    return BeforeValidator(checked)
