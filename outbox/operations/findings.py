"""What a check says: a fact, why it matters, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether the promise is broken, or only nearer to it than is good."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as the code relies on."""

    severity: Severity
    subject: str
    fact: str
    cure: str


def error(subject: str, fact: str, cure: str) -> Finding:
    """A promise does not hold."""
    return Finding(Severity.ERROR, subject, fact, cure)


def warning(subject: str, fact: str, cure: str) -> Finding:
    """A promise is in danger."""
    return Finding(Severity.WARNING, subject, fact, cure)
