"""A Telegram stand-in for the tests of one module, and the real client library pointed at it."""

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from telegram import Bot
from telegram.request import HTTPXRequest

from tests.stand_in import TOKEN, StandIn

_CHATS = count(1001)


@pytest.fixture(autouse=True)
def _durations_are_timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opt in to what the client library will do in its next major version; otherwise it warns."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    running = StandIn(tmp_path_factory.mktemp("telegram"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def start_stand_in(tmp_path: Path) -> Iterator[Callable[..., StandIn]]:
    """A starter of stand-ins that may be killed or configured; all over the same folder."""
    started: list[StandIn] = []

    def start(*options: str) -> StandIn:
        started.append(StandIn(tmp_path, *options))
        started[-1].start()
        return started[-1]

    yield start
    for running in started:
        running.kill()


@pytest.fixture
def chat_id() -> int:
    """A chat nobody else uses."""
    return next(_CHATS)


@pytest.fixture
async def bot(stand_in: StandIn) -> AsyncIterator[Bot]:
    async with bot_at(stand_in) as ready:
        yield ready


def bot_at(stand_in: StandIn, *, token: str = TOKEN, read_timeout: float = 5.0) -> Bot:
    """The real client library, pointed at a stand-in."""
    request = HTTPXRequest(read_timeout=read_timeout)
    return Bot(token, base_url=f"{stand_in.url}/bot", request=request, get_updates_request=HTTPXRequest())
