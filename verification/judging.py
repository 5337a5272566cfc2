"""Every judge over every order, and over what only the whole log can tell. Reads nothing: facts in, findings out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from verification.case import Case
from verification.log_order import LogOrder
from verification.repeats import Repeats
from verification.verdicts import kafka, notification, outbox, telegram

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from verification.case import Circumstances
    from verification.report import Findings, Tallies
    from verification.spool import Story


class Judging:
    """Use as a context manager: what it keeps on disk goes with it."""

    def __init__(self, circumstances: Circumstances, *, tallies: Tallies, findings: Findings) -> None:
        self._circumstances = circumstances
        self._tallies = tallies
        self._findings = findings
        self._log_order = LogOrder()
        self.repeats = Repeats()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log_order.close()

    def judge(self, stories: Iterable[Story]) -> None:
        """Judge some orders, each alone."""
        for story in stories:
            case = Case(
                story=story,
                circumstances=self._circumstances,
                tallies=self._tallies,
                findings=self._findings,
                repeats=self.repeats,
                log_order=self._log_order,
            )
            outbox.judge(case)
            kafka.judge(case)
            notification.judge(case)
            if self._circumstances.telegram_asked:
                telegram.judge(case)

    def judge_the_log(self) -> None:
        """Judge what only all orders of a partition together tell; once, at the end."""
        self._log_order.judge(self._findings)
