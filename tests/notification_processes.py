"""The processes of the notification service as the supervisor runs them, for tests that kill and freeze them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from stack.ports import LOOPBACK, free_port
from tests.stand_in import TOKEN
from tests.waiting import eventually

_ROOT = Path(__file__).parent.parent


class NotificationProcess:
    """One `python -m services.notification <command>`; what it says goes to `log`."""

    def __init__(self, command: str, log: Path, **settings: str) -> None:
        self.health = f"{LOOPBACK}:{free_port()}"
        self.log = log
        self._command = command
        self._environment = {"NOTIFICATION_HEALTH_ADDRESS": self.health, **settings}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, or start again; does not wait."""
        argv = [sys.executable, "-m", "services.notification", self._command]
        environment = {"PATH": os.environ["PATH"], **self._environment}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own argv
                argv, cwd=_ROOT, env=environment, stdout=output, stderr=output
            )

    async def ready(self) -> None:
        """Return when it says it is ready."""
        async with httpx.AsyncClient(trust_env=False) as client:

            async def answers() -> bool:
                try:
                    return (await client.get(f"http://{self.health}/readyz")).status_code == httpx.codes.OK
                except httpx.TransportError:
                    return False

            await eventually(answers, within=30)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process is not None
        os.kill(self._process.pid, number)

    def running(self) -> bool:
        """Say whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it as a power cut would; a second call does nothing."""
        if self.running():
            self.signal(signal.SIGKILL)
        self.wait()

    def terminate(self) -> int:
        """End it as the supervisor does; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; the exit code."""
        return 0 if self._process is None else self._process.wait(30)


@contextmanager
def process(command: str, folder: Path, **settings: str) -> Iterator[NotificationProcess]:
    """A process of this test, started, and killed at the end of the block."""
    made = NotificationProcess(command, folder / f"{command}.log", **settings)
    made.start()
    try:
        yield made
    finally:
        made.kill()


def sender_settings(dsn: str, telegram_url: str, **others: str) -> dict[str, str]:
    """Settings of a sender with short leases and pauses."""
    return {
        "NOTIFICATION_DATABASE_URL": dsn,
        "NOTIFICATION_TELEGRAM_TOKEN": TOKEN,
        "NOTIFICATION_TELEGRAM_URL": telegram_url,
        "NOTIFICATION_CALL_SECONDS": "1",
        "NOTIFICATION_LEASE_SECONDS": "2",
        "NOTIFICATION_RETRY_SECONDS_MIN": "0.05",
        "NOTIFICATION_RETRY_SECONDS_MAX": "0.2",
        **others,
    }
