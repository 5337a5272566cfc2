"""Ctrl-C while something must not be left half-way: counted, and answered by who waits instead of cutting the wait."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """How often Ctrl-C was pressed. The waiting code looks; nothing is raised into it."""

    def __init__(self) -> None:
        self._pressed = 0
        self._heard = 0

    @property
    def pressed(self) -> bool:
        """Whether it was pressed at all."""
        return self._pressed > 0

    def heard(self) -> bool:
        """Whether it was pressed since this was asked last."""
        news, self._heard = self._pressed > self._heard, self._pressed
        return news

    def press(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Count one. A signal handler: takes no lock."""
        self._pressed += 1


@contextmanager
def counted() -> Iterator[Interrupts]:
    """Count Ctrl-C inside the block; the former handling is back behind it.

    Where it is ignored it stays ignored; outside the main thread, which no signal reaches, nothing is ever counted.
    """
    interrupts = Interrupts()
    former = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or former is signal.SIG_IGN:
        yield interrupts
        return
    signal.signal(signal.SIGINT, interrupts.press)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, former)
