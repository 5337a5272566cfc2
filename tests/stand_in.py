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


class Phones:
    """The people at the phones of a stand-in, and its levers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = self._new_client()

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
        messages: list[dict[str, Any]] = self.phone(chat_id)["messages"]
        return messages

    def write(self, chat_id: int, text: str) -> int:
        """A person writes to the bot; the id of the message."""
        return int(self._post(f"/_/phone/{chat_id}/message", {"text": text})["message_id"])

    def tap(self, chat_id: int, message_id: int, label: str) -> str | None:
        """A person taps the button that says this; what the bot answered, None if it did not in five seconds."""
        (data,) = (data for shown, data in self.buttons(chat_id, message_id) if shown == label)
        return self.tap_data(chat_id, message_id, data, unseen=False)

    def tap_data(self, chat_id: int, message_id: int, data: str, *, unseen: bool = True) -> str | None:
        """Somebody sends what a button carries, whether the message shows it or not; what the bot answered."""
        body = {"message_id": message_id, "data": data, "unseen": unseen}
        answer = self._post(f"/_/phone/{chat_id}/tap", body)
        return str(answer["text"]) if answer["answered"] else None

    def buttons(self, chat_id: int, message_id: int) -> list[tuple[str, str]]:
        """The buttons under a message: what they say and what they carry."""
        (message,) = (each for each in self.screen(chat_id) if each["message_id"] == message_id)
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        return [(button["text"], button["callback_data"]) for row in rows for button in row]

    def speak(self, chat_id: int, language: str) -> None:
        """A person sets the phone to a language."""
        self._post(f"/_/phone/{chat_id}/language", {"language": language})

    def phone(self, chat_id: int) -> dict[str, Any]:
        """All that a phone shows: messages, the newest notice, the commands of its menu."""
        found: dict[str, Any] = self._client.get(f"/_/phone/{chat_id}").json()
        return found

    def updates(self) -> dict[str, int]:
        """How many updates wait for the bot, and how often it asked while it was asking already."""
        found: dict[str, int] = self._client.get("/_/updates").json()
        return found

    def block(self, chat_id: int, *, blocked: bool = True) -> None:
        """A person stops the bot, or lets it write again."""
        self._post(f"/_/phone/{chat_id}/block", {"blocked": blocked})

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _new_client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=10, trust_env=False)

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.post(path, json=body)
        assert answer.status_code == httpx.codes.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found


class StandIn(Phones):
    """One stand-in over one folder; `start` blocks until it answers, a second start replays the log."""

    def __init__(self, folder: Path, *options: str, token: str | None = TOKEN) -> None:
        self.folder = folder
        self.port = free_port()
        super().__init__(f"http://{LOOPBACK}:{self.port}")
        self._options = [*options, *(["--token", token] if token else [])]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, or start again, and wait until it answers."""
        self.close()
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

    def _answers(self) -> bool:
        try:
            return self._client.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _end(self, number: signal.Signals) -> int:
        self.close()
        if self._process is None or self._process.poll() is not None:
            return 0 if self._process is None else self._process.returncode
        os.kill(self._process.pid, number)
        return self._process.wait(10)


def buttons(*rows: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """An inline keyboard from rows of (text, data)."""
    return {"inline_keyboard": [[{"text": text, "callback_data": data} for text, data in row] for row in rows]}
