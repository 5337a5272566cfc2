"""The owners of the relay's cursor, one after another, as the records they sent name them: history and epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

_SLOT_SECONDS: Final = 5.0


@dataclass(slots=True)
class Incarnation:
    """One owner and when it was at work, by its own clock.

    Its life is kept as the last record of every five seconds it was at work in: a few thousand numbers a day.
    """

    history: str
    epoch: int
    began: float = float("inf")
    records: int = 0
    _last: dict[int, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name it as people read it."""
        return f"epoch {self.epoch}" if self.history else "an unknown sender"

    def sent(self, at: float) -> None:
        """Note one record."""
        self.records += 1
        self.began = min(self.began, at)
        slot = int(at // _SLOT_SECONDS)
        if at > self._last.get(slot, 0.0):
            self._last[slot] = at

    def at_work_until(self, moment: float) -> float:
        """Give when it last sent anything up to a moment, five seconds too late at most; 0 if it did not."""
        slots = [slot for slot in self._last if slot * _SLOT_SECONDS <= moment]
        return min(self._last[max(slots)], moment) if slots else 0.0

    def precedes(self, other: Incarnation) -> bool:
        """Whether the other took over from it: a higher epoch of one database, else by when they began."""
        if _system(self.history) == _system(other.history):
            return self.epoch < other.epoch
        return self.began < other.began


class Incarnations:
    """All of them, by number."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[bytes, bytes], int] = {}
        self._all: list[Incarnation] = []

    def seen(self, history: bytes, epoch: bytes, at: float) -> int:
        """Note a record sent by one and give its number; raises ValueError if the epoch is no number."""
        named = history, epoch
        number = self._numbers.get(named)
        if number is None:
            self._all.append(Incarnation(history.decode(), int(epoch or b"0")))
            number = self._numbers[named] = len(self._all) - 1
        self._all[number].sent(at)
        return number

    def __getitem__(self, number: int) -> Incarnation:
        return self._all[number]

    def __len__(self) -> int:
        return len(self._all)


def _system(history: str) -> str:
    return history.partition("/")[0]
