"""A headless Chromium, spoken to over its debugging pipe: no library, no port. Only where one is installed already."""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_ANSWER_SECONDS_MAX = 20.0


def program() -> str | None:
    """The browser of this machine, if there is one."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Page:
    """One page. Every method blocks: call them in a thread where a loop runs."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._unread = b""
        self._number = 0
        self._session: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        metrics = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **metrics)

    def open(self, url: str) -> None:
        """Go to an address."""
        self._call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """Run a script in the page; what its last expression is worth."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self, path: Path) -> None:
        """Save what a person would see."""
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        return self._answer_to(self._number)

    def _answer_to(self, number: int) -> dict[str, Any]:
        deadline = time.monotonic() + _ANSWER_SECONDS_MAX
        while True:
            while b"\0" not in self._unread:
                ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
                assert ready, "the browser did not answer"
                self._unread += os.read(self._answers, 1 << 16)
            line, _, self._unread = self._unread.partition(b"\0")
            answer = json.loads(line)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                found: dict[str, Any] = answer["result"]
                return found


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A browser with a profile of its own, ended with the block."""
    found = program()
    assert found is not None
    command_end, commands = os.pipe()
    answers, answer_end = os.pipe()
    shell = f'exec "$0" "$@" 3</dev/fd/{command_end} 4>/dev/fd/{answer_end}'  # a plain sh knows no descriptor over 9
    argv = [found, *_FLAGS, "--remote-debugging-pipe", f"--user-data-dir={folder}"]
    process = subprocess.Popen(  # noqa: S603 - our own argv
        ["/bin/sh", "-c", shell, *argv],
        pass_fds=(command_end, answer_end),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield Page(commands, answers)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for end in (command_end, commands, answers, answer_end):
            os.close(end)
