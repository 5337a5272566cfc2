"""The sender is killed under load, again and again: nothing lost, nothing sent twice, every doubt listed.

Five deaths here, a hundred with `make prove`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notification_fixtures import Town
from tests.notification_processes import NotificationProcess, sender_settings
from tests.proofs import times
from tests.sender_deaths import killed_under_load
from tests.stand_in import StandIn

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3_600)]

CALLS_MAX = 24
UNBOUND = {"NOTIFICATION_BOT_CALLS_PER_SECOND": "1000", "NOTIFICATION_CHAT_CALLS_PER_SECOND": "1000"}
"""So that calls are in the air when the sender dies; what Telegram takes is another test's affair."""


@pytest.fixture
def own_town(town: Town, tmp_path: Path) -> Iterator[Town]:
    """A town whose Bot API is slow for everybody, and whose log is this test's alone."""
    server = StandIn(tmp_path / "telegram")
    server.start()
    yield Town(database=town.database, pool=town.pool, eye=town.eye, telegram=server)
    server.kill()


@pytest.fixture
def sender(own_town: Town, tmp_path: Path) -> Iterator[NotificationProcess]:
    settings = sender_settings(own_town.database.app_dsn, own_town.telegram.url, **UNBOUND)
    made = NotificationProcess("sender", tmp_path / "sender.log", **settings)
    yield made
    made.kill()


async def test_a_sender_killed_under_load_loses_nothing_and_sends_nothing_twice(
    own_town: Town, sender: NotificationProcess
) -> None:
    kills = times(5, proving=100)

    def start() -> NotificationProcess:
        sender.start()
        return sender

    figures = await killed_under_load(own_town, start, kills=kills)

    print(figures.line())
    assert figures.states["delivered"] > 10 * kills
    assert figures.states.get("uncertain", 0) <= kills * CALLS_MAX
