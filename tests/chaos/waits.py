"""What each task of a process waits for: what a process that stands still is asked before it is killed."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from typing import Any, TextIO


def tell_on_request(number: signal.Signals = signal.SIGUSR2) -> None:
    """Write it to standard error whenever the signal comes, as far as the event loop still turns."""
    asyncio.get_running_loop().add_signal_handler(number, tell, sys.stderr)


def tell(out: TextIO) -> None:
    """Every task with the frames it waits in, outermost first."""
    for task in asyncio.all_tasks():
        print(f"task {task.get_name()}, asked {task.cancelling()} times to end", file=out)
        for frame in _frames(task.get_coro()):
            print(f"    {frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}", file=out)
    out.flush()


def _frames(waiting: Any) -> Iterator[Any]:
    """Along the chain of awaits; it ends at what is no Python coroutine: a future, or the driver's compiled code."""
    while waiting is not None:
        for kind in ("cr", "ag", "gi"):
            frame = getattr(waiting, f"{kind}_frame", None)
            if frame is not None:
                yield frame
                waiting = getattr(waiting, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")
                break
        else:
            return
