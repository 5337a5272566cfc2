"""What a flag of the command line may hold: each refuses by value and bound, as a usage error."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import datetime

INT64_MAX = 2**63 - 1


def whole(low: int, high: int = INT64_MAX) -> Callable[[str], int]:
    """A whole number within bounds."""

    def parsed(text: str) -> int:
        number = int(text) if text.removeprefix("-").isdecimal() else None
        if number is None or not low <= number <= high:
            raise ArgumentTypeError(f"{text!r} is no whole number from {low} to {high}")
        return number

    return parsed


def moment(text: str) -> datetime:
    """A moment with its offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} is no moment with its offset, as in 2026-11-24T08:00:00Z")
    return found


def topic(text: str) -> str:
    """NAME or NAME:versioned."""
    name, colon, kind = text.partition(":")
    if not name or (colon and kind != "versioned"):
        raise ArgumentTypeError(f"{text!r} is neither NAME nor NAME:versioned")
    return text
