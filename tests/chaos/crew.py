"""The processes of a scene: started, stopped, frozen and killed by name; who ends by itself is noticed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stack.servers.child import ENVIRONMENT, Child, last_lines

_ROOT = Path(__file__).parents[2]
_STOP_SECONDS_MAX = 40.0


class EndedByItself(Exception):
    """A process that nobody had stopped is gone."""

    def __init__(self, name: str, code: int | None, log: Path) -> None:
        super().__init__(f"{name} ended by itself with code {code}, see {log}: {last_lines(log, 1)}")


@dataclass(slots=True)
class Crew:
    """Everybody at work; their records and logs lie in `folder`."""

    folder: Path
    _children: dict[str, Child] = field(default_factory=dict)

    def start(self, role: str, name: str, told: Mapping[str, Any]) -> None:
        """Put a process to work. Must be called by the thread that outlives it: it dies with its parent."""
        child = Child(name=name, folder=self.folder, dies_with_parent=True)
        argv = [sys.executable, "-m", "tests.chaos.actor", role, json.dumps({"name": name, **told})]
        child.spawn(argv, environment={**ENVIRONMENT, "PYTHONPATH": str(_ROOT)})
        self._children[name] = child

    def names(self, role: str) -> list[str]:
        """Who plays a role now."""
        return [name for name in self._children if name.startswith(f"{role}-")]

    async def kill(self, name: str) -> None:
        """SIGKILL."""
        await asyncio.to_thread(self._children.pop(name).kill)

    async def stop(self, name: str) -> None:
        """Ask for a graceful end, and wait for it."""
        child = self._children.pop(name)
        await asyncio.to_thread(child.stop, by=signal.SIGTERM, seconds_max=_STOP_SECONDS_MAX)
        if child.exit_code != 0:
            raise EndedByItself(name, child.exit_code, child.log)

    def freeze(self, name: str) -> None:
        """SIGSTOP."""
        self._children[name].freeze()

    def thaw(self, name: str) -> None:
        """SIGCONT."""
        self._children[name].thaw()

    def tell_what_waits(self) -> None:
        """Have everybody but the clients write into the log what each of its tasks waits for."""
        for name, child in self._children.items():
            if not name.startswith("writer-") and child.pid is not None:
                os.kill(child.pid, signal.SIGUSR2)

    def check(self) -> None:
        """Raise EndedByItself if somebody is missing."""
        for name, child in self._children.items():
            if not child.running:
                raise EndedByItself(name, child.exit_code, child.log)

    async def dismiss(self, role: str) -> None:
        """Stop all who play a role, side by side."""
        await asyncio.gather(*[self.stop(name) for name in self.names(role)])

    def kill_all(self) -> None:
        """End everybody, whatever state they are in."""
        for child in self._children.values():
            child.kill()
        self._children.clear()
