"""What a person watches while orders flow: a bar per witness on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.output import notes

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import TaskID

    from cli.shopping import Shopped
    from verification.counters import Counters

LINE_EVERY_SECONDS = 2.0
WITNESSES = ("committed", "published", "applied", "notified")


class Arrivals:
    """Shows errands that ended and status changes at each witness. Use as a context manager."""

    def __init__(self, errands: int) -> None:
        self._console = notes()
        self._bars = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._errands_total = errands
        self._errands_walked = 0
        self._shopping = self._bars.add_task("orders", total=errands)
        self._tasks: dict[str, TaskID] = {name: self._bars.add_task(name, total=None) for name in WITNESSES}
        self._line_at = monotonic()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def walked(self, shopped: Shopped) -> None:
        """An errand has come to its end."""
        del shopped
        self._errands_walked += 1
        self._bars.update(self._shopping, completed=self._errands_walked)

    def seen(self, counters: Counters) -> None:
        """The witnesses were read."""
        for name in WITNESSES:
            self._bars.update(self._tasks[name], completed=getattr(counters, name), total=counters.committed)
        if not self._console.is_terminal and monotonic() - self._line_at >= LINE_EVERY_SECONDS:
            self._line_at = monotonic()
            self._console.print(self._line(counters))

    def _line(self, counters: Counters) -> str:
        told = "  ".join(f"{name} {getattr(counters, name)}" for name in WITNESSES)
        return f"orders {self._errands_walked}/{self._errands_total}  {told}"
