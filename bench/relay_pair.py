"""Two relays of one outbox, the owner and its standby; whoever left is replaced."""

import time
from itertools import count
from typing import Self

from bench.program import Program
from bench.stand import Stand
from bench.statements import statement

_SECONDS_MAX = 30.0
_LOOK_SECONDS = 0.02


class NoPair(Exception):
    """The server never showed one owner and one standby."""


class RelayPair:
    """Starts relays and knows their parts by what the server shows."""

    def __init__(self, stand: Stand, topic: str) -> None:
        self._stand = stand
        self._topic = topic
        self._names = (f"successor-{number}" for number in count(1))
        self._programs: dict[str, Program] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for program in self._programs.values():
            program.kill()

    def complete(self) -> tuple[Program, Program]:
        """Start who is missing; the owner and the standby, as soon as both are what they shall be."""
        while len(self._programs) < 2:
            name = next(self._names)
            self._programs[name] = Program(
                "successor",
                self._stand.folder,
                dsn=self._stand.dsn,
                bootstrap=self._stand.kafka.bootstrap,
                topic=self._topic,
                instance=name,
            )
        parts = self._parts()
        return self._programs[parts["owner"]], self._programs[parts["standby"]]

    def forget(self, gone: Program) -> None:
        """End one for good; the next `complete` replaces it."""
        gone.kill()
        self._programs = {name: program for name, program in self._programs.items() if program is not gone}

    def _parts(self) -> dict[str, str]:
        """Instances by role."""
        deadline = time.monotonic() + _SECONDS_MAX
        while time.monotonic() < deadline:
            shown = [(row["role"], row["instance"]) for row in self._stand.sql(statement("relay_roles"))]
            if sorted(role for role, _ in shown) == ["owner", "standby"] and {i for _, i in shown} == {*self._programs}:
                return dict(shown)
            time.sleep(_LOOK_SECONDS)
        raise NoPair(f"two relays were started, the server shows {shown}")
