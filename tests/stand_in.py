"""Runs the Telegram stand-in as its own process for a test, and plays the people at its phones."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from stack.ports import LOOPBACK, free_port

TOKEN = "1000000001:for-tests-only"
_START_SECONDS_MAX = 20.0


class StandIn:
    """One stand-in over one folder; `start` blocks until it answers, a second start replays the log."""

    def __init__(self, folder: Path, *options: str, token: str | None = TOKEN) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._options = [*options, *(["--token", token] if token else [])]
        self._process: subprocess.Popen[bytes] | None = None
        self._client = self._new_client()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, or start again, and wait until it answers."""
        self._client.close()
        self._client = self._new_client()
        address = f"{LOOPBACK}:{self.port}"
        command = [sys.executable, "-m", "stack.telegram", "--address", address, "--folder", str(self.folder)]
        self._process = subprocess.Popen([*command, *self._options])  # noqa: S603  our own program and arguments
        deadline = time.monotonic() + _START_SECONDS_MAX
        while not self._answers():
            assert self._process.poll() is None, "the stand-in ended while it was starting"
            assert time.monotonic() < deadline, "the stand-in did not answer in time"
            time.sleep(0.02)

    def stop(self) -> int:
        """End it gracefully; the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would; a second call does nothing."""
        self._end(signal.SIGKILL)

    def script(self, chat_id: int | None, *steps: dict[str, Any]) -> None:
        """Plan what the next calls for a chat are answered."""
        self._post("/_/script", {"chat_id": chat_id, "steps": list(steps)})

    def accepted(self, chat_id: int | None = None, since: int = 0) -> list[dict[str, Any]]:
        """What was accepted, of one chat or of all."""
        lines: list[dict[str, Any]] = self._client.get("/_/accepted", params={"since": since}).json()
        return [line for line in lines if chat_id in {None, line["chat_id"]}]

    def limit(self, **limits: int) -> None:
        """Enforce these limits from now on, and no others."""
        self._post("/_/limits", limits)

    def calls(self, chat_id: int | None = None, since: int = 0) -> list[dict[str, Any]]:
        """Every call for a chat, or for all, refused or not, in the order in which they were answered."""
        calls: list[dict[str, Any]] = self._client.get("/_/calls", params={"since": since}).json()
        return [call for call in calls if chat_id in {None, call["chat_id"]}]

    def screen(self, chat_id: int) -> list[dict[str, Any]]:
        """The messages a person sees."""
        messages: list[dict[str, Any]] = self._client.get(f"/_/phone/{chat_id}").json()["messages"]
        return messages

    def write(self, chat_id: int, text: str) -> int:
        """A person writes to the bot; the id of the message."""
        return int(self._post(f"/_/phone/{chat_id}/message", {"text": text})["message_id"])

    def block(self, chat_id: int, *, blocked: bool = True) -> None:
        """A person stops the bot, or lets it write again."""
        self._post(f"/_/phone/{chat_id}/block", {"blocked": blocked})

    def _new_client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=10, trust_env=False)

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.post(path, json=body)
        assert answer.status_code == httpx.codes.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _answers(self) -> bool:
        try:
            return self._client.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _end(self, number: signal.Signals) -> int:
        self._client.close()
        if self._process is None or self._process.poll() is not None:
            return 0 if self._process is None else self._process.returncode
        os.kill(self._process.pid, number)
        return self._process.wait(10)


def buttons(*rows: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """An inline keyboard from rows of (text, data)."""
    return {"inline_keyboard": [[{"text": text, "callback_data": data} for text, data in row] for row in rows]}
