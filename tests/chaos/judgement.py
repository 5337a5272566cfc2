"""What a judge found: every broken promise is something lost, inverted or doubled, with the invariant it breaks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

FINDINGS_KEPT_MAX = 200


class Kind(StrEnum):
    """Lost: what should be is not. Doubled: what should not be is, a repeat or an invention. Inverted: out of order."""

    LOST = "lost"
    INVERTED = "inverted"
    DOUBLED = "doubled"


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise."""

    kind: Kind
    invariant: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.invariant}): {self.text}"


@dataclass(slots=True)
class Judgement:
    """The findings, and the figures around them.

    orders: keys with an acknowledged change. changes: committed changes. repeats: records that came again, absorbed by
    the consumers. parked: set aside where that was right. uncertain: attempts whose client never learnt the outcome.
    """

    orders: int = 0
    changes: int = 0
    repeats: int = 0
    parked: int = 0
    uncertain: int = 0
    counts: Counter[Kind] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def found(self, kind: Kind, invariant: str, text: str) -> None:
        """Note one; all are counted, the first are kept."""
        self.counts[kind] += 1
        if len(self.findings) < FINDINGS_KEPT_MAX:
            self.findings.append(Finding(kind, invariant, text))

    @property
    def clean(self) -> bool:
        """Whether no promise was broken."""
        return not self.counts

    @property
    def lost(self) -> int:
        """How much is missing."""
        return self.counts[Kind.LOST]

    @property
    def inverted(self) -> int:
        """How much is out of order."""
        return self.counts[Kind.INVERTED]

    @property
    def doubled(self) -> int:
        """How much is there that should not be."""
        return self.counts[Kind.DOUBLED]

    def invariants(self) -> Sequence[str]:
        """The invariants that were broken, each once."""
        return sorted({finding.invariant for finding in self.findings})
