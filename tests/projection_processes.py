"""The projection as a process, for tests that kill it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from stack.ports import LOOPBACK, free_ports
from tests.loms_processes import ROOT, readiness
from tests.waiting import eventually

_START_SECONDS_MAX = 60.0


class ProjectionProcess:
    """`python -m services.projection view`; what it says goes to a log in `folder`."""

    def __init__(self, folder: Path, bootstrap: str) -> None:
        address, health = (f"{LOOPBACK}:{port}" for port in free_ports(2))
        self.url = f"http://{address}"
        self._log = folder / "projection.log"
        self._health = health
        self._environment = {
            "PATH": os.environ["PATH"],
            "PROJECTION_KAFKA_BOOTSTRAP": bootstrap,
            "PROJECTION_HTTP_ADDRESS": address,
            "PROJECTION_HEALTH_ADDRESS": health,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; does not wait."""
        argv = [sys.executable, "-m", "services.projection", "view"]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own argv
                argv, cwd=ROOT, env=self._environment, stdout=output, stderr=output
            )

    async def whole(self) -> None:
        """Return when it has read all that was there."""
        await eventually(self._shows, within=_START_SECONDS_MAX)

    async def _shows(self) -> bool:
        return bool(await readiness(self._health)) and await self.ask("/statuses") is not None

    async def ask(self, path: str) -> Any:
        """Return the JSON of a GET, or None: it does not answer, or not yet."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            try:
                response = await client.get(path)
            except httpx.TransportError:
                return None
        return response.json() if response.status_code == httpx.codes.OK else None

    async def rebuild(self) -> None:
        """Have it forget everything and read again."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=_START_SECONDS_MAX) as client:
            assert (await client.post("/rebuild")).status_code == httpx.codes.ACCEPTED

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; return the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(30)

    def kill(self) -> None:
        """Make sure that nothing is left of it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
