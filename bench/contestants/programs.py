"""The contestants that are one Python program each: ours, the classic relay, the bare floor of latency."""

import uuid
from pathlib import Path
from typing import Any

from bench.program import Program
from bench.stand import Stand

_START_SECONDS_MAX = 30.0


class OneProgram:
    """A contestant whose program lives for one turn."""

    def __init__(self, stand: Stand, *, name: str, program: str, sessions: str, wakes: bool) -> None:
        self.name = name
        self.outbox = name
        self.topic = stand.topic(f"bench-{name}")
        self.wakes = wakes
        self.sessions = sessions
        self._stand = stand
        self._program_name = program
        self._acks: Path | None = None
        self._program: Program | None = None

    @property
    def pids(self) -> list[int]:
        """Its own process."""
        return [self._program.pid] if self._program is not None else []

    def prepare(self, *, noting: bool) -> None:
        """Start the program; it waits for the word."""
        config: dict[str, Any] = {
            "dsn": self._stand.dsn,
            "bootstrap": self._stand.kafka.bootstrap,
            "topic": self.topic,
            "partitions": self._stand.settings.partitions,
        }
        self._acks = None
        if noting:
            self._acks = self._stand.folder / f"{self.name}-{uuid.uuid4().hex[:8]}.acks"
            config["acks"] = str(self._acks)
        self._program = Program(self._program_name, self._stand.folder, **config)
        self._program.expect("ready", within=_START_SECONDS_MAX)

    def begin(self) -> None:
        """Say the word."""
        if self._program is not None:
            self._program.tell("go")

    def pause(self) -> Path | None:
        """Say the other word, and wait for its end."""
        if self._program is not None:
            self._program.end()
        self.close()
        return self._acks

    def close(self) -> None:
        """Kill what still runs."""
        if self._program is not None:
            self._program.kill()
            self._program = None


def ours(stand: Stand) -> OneProgram:
    """Our relay."""
    return OneProgram(
        stand,
        name="ours",
        program="relay",
        sessions="application_name ~ '^outbox-relay '",
        wakes=True,
    )


def classic(stand: Stand) -> OneProgram:
    """The classic relay; it polls as often as ours."""
    return OneProgram(
        stand,
        name="classic",
        program="classic",
        sessions="application_name = 'bench-classic'",
        wakes=False,
    )


def floor(stand: Stand) -> OneProgram:
    """The bare floor of latency."""
    return OneProgram(stand, name="floor", program="floor", sessions="application_name = 'bench-floor'", wakes=True)
