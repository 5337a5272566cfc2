"""A moment as text: RFC 3339 in UTC with microseconds, `2026-11-21T08:00:00.123456Z`."""

import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime

PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z$"

_SHAPE = re.compile(PATTERN.removesuffix("$"), re.ASCII)


def to_text(moment: datetime) -> str:
    """Return the text of an aware moment, always in UTC, always with six decimals."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Return the moment, aware and in UTC; raise `ValueError` unless the text is RFC 3339 with a `Z`.

    The first year and the last are refused: no clock says them, and databases take their ends for infinite.
    """
    if not _SHAPE.fullmatch(text):
        raise ValueError("not RFC 3339 in UTC")
    moment = datetime.fromisoformat(text)
    if not is_sayable(moment):
        raise ValueError("no moment of anybody's clock")
    return moment


def is_sayable(moment: datetime) -> bool:
    """Whether it lies between the first year and the last."""
    return MINYEAR < moment.year < MAXYEAR
