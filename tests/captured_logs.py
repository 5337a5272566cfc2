"""The log lines this process writes inside a block."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from chassis import logs


class CapturedLogs:
    """The lines written so far."""

    def __init__(self) -> None:
        self.output = io.StringIO()

    @property
    def text(self) -> str:
        """Everything, as written."""
        return self.output.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line, decoded."""
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        """The lines of one event."""
        return [line for line in self.lines if line["event"] == event]


@contextmanager
def captured_logs(*, secrets: tuple[str, ...] = ()) -> Iterator[CapturedLogs]:
    """Configure logging as a process would, for the block alone."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    captured = CapturedLogs()
    logs.configure("shop", "api", "info", secrets=secrets, output=captured.output)
    try:
        yield captured
    finally:
        structlog.reset_defaults()
        logging.captureWarnings(capture=False)
        root.handlers = before
        root.setLevel(level)
