"""A witness that should answer and does not: the check ends without a verdict."""

from __future__ import annotations


class WitnessAway(Exception):
    """Carries which witness and why; nothing was judged."""

    def __init__(self, witness: str, reason: str) -> None:
        super().__init__(f"{witness} cannot be read: {reason}")
        self.witness = witness
        self.reason = reason
