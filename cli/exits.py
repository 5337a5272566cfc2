"""How a command ends: the exit codes scripts branch on, and the one exception that carries a code to the door."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the program's exit code says."""

    OK = 0
    ERROR = 1
    USAGE = 2
    CHECK_FAILED = 3
    REFUSED = 4
    PARTIAL = 5


class CommandFailed(Exception):
    """A command cannot go on: ``text`` for a person, ``cure`` when one is known, ``code`` for a script."""

    def __init__(self, text: str, *, cure: str = "", code: ExitCode = ExitCode.ERROR) -> None:
        super().__init__(text)
        self.text = text
        self.cure = cure
        self.code = code
