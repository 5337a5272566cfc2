"""A program of `bench.programs` as its parent sees it: started, told a word, heard, ended."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

_ROOT = Path(__file__).parent.parent
_END_SECONDS_MAX = 20.0


class ProgramFailed(Exception):
    """A program ended, or was silent, when it should have said something."""

    def __init__(self, name: str, expected: str, log: Path) -> None:
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-15:]
        super().__init__("\n".join([f"{name} never said {expected!r}; its log {log} ends:", *said]))


class Program:
    """The process of `python -m bench.programs.<name>` with a configuration; killed when its block ends."""

    def __init__(self, name: str, folder: Path, **config: Any) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own argv
                [sys.executable, "-m", f"bench.programs.{name}", json.dumps(config)],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Linux shares processors between sessions: each program stands for a service
            )
        self._heard = b""

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def tell(self, word: str) -> None:
        """Say a word to it; one that is gone does not hear."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(f"{word}\n".encode())
                self._process.stdin.flush()

    def expect(self, word: str, *, within: float = 60.0) -> dict[str, Any]:
        """Wait for its line that begins with `word` and return the facts on it; raises ProgramFailed."""
        facts = self.hear(word, within=within)
        if facts is None:
            raise ProgramFailed(self.name, word, self._log)
        return facts

    def hear(self, word: str, *, within: float) -> dict[str, Any] | None:
        """As expect, but None when the time is over."""
        deadline = time.monotonic() + within
        while (line := self._line(deadline)) is not None:
            said, _, facts = line.partition(" ")
            if said == word:
                return dict(json.loads(facts))
        return None

    def end(self) -> None:
        """Close its input and wait until it has ended by itself."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            code = self._process.wait(_END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            code = -1
        if code != 0:
            raise ProgramFailed(self.name, "goodbye", self._log)

    def kill(self) -> None:
        """End it now. Safe to repeat."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _line(self, deadline: float) -> str | None:
        """Its next line; None at the deadline or at its end."""
        stream = self._process.stdout
        if stream is None:
            return None
        while b"\n" not in self._heard:
            readable, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
            more = os.read(stream.fileno(), 65_536) if readable else b""
            if not more:
                return None
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()
