"""A sender that dies or freezes between `calling` and the outcome: nothing is lost, nothing is silently sent twice."""

import signal
from pathlib import Path

from tests.notification_fixtures import Town, paid, placed
from tests.notification_processes import process, sender_settings
from tests.waiting import eventually

SLOW = {"answer": "ok", "delay_seconds": 30}
"""Accepted at once, answered when nobody listens any more."""


async def test_a_send_in_flight_when_the_sender_dies_is_uncertain_and_not_resent(town: Town, tmp_path: Path) -> None:
    chat = await town.link()
    town.telegram.script(chat, SLOW)
    await town.plan(*placed(42))

    with process("sender", tmp_path, **patient(town)) as sender:
        await eventually(lambda: town.accepted(chat), within=20)
        sender.kill()
    assert await town.states(42) == ["superseded", "calling"]
    await town.leases_end()
    await town.deliver()

    assert town.accepted(chat) == [("sendMessage", "o:42:2")]
    assert await town.states(42) == ["superseded", "uncertain"]
    assert (await town.rows(42))[1]["reason"] == "the sender was interrupted"


async def test_an_edit_in_flight_when_the_sender_dies_is_made_again(town: Town, tmp_path: Path) -> None:
    chat = await town.link()
    await town.plan(*placed(42))
    await town.deliver()
    town.telegram.script(chat, SLOW)
    await town.plan(paid(42))

    with process("sender", tmp_path, **patient(town)) as sender:
        await eventually(lambda: len(town.accepted(chat)) == 2, within=20)
        sender.kill()
    await town.leases_end()
    await town.deliver()

    assert await town.states(42) == ["superseded", "delivered", "delivered"]
    assert town.accepted(chat)[1:] == [("editMessageText", "o:42:3"), ("sendMessage", "o:42:3")]


async def test_a_frozen_sender_that_wakes_up_overwrites_nothing(town: Town, tmp_path: Path) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "ok", "delay_seconds": 0.5})
    await town.plan(*placed(42))

    with process("sender", tmp_path, **settings_of(town)) as sender:
        await eventually(lambda: town.accepted(chat), within=20)
        sender.signal(signal.SIGSTOP)
        await town.deliver()
        sender.signal(signal.SIGCONT)
        await town.plan(paid(42))
        await eventually(town.settled)
        assert sender.terminate() == 0

    assert await town.states(42) == ["superseded", "uncertain", "delivered"]
    assert town.accepted(chat) == [("sendMessage", "o:42:2"), ("sendMessage", "o:42:3"), ("sendMessage", "o:42:3")]


async def test_a_sender_told_to_stop_writes_what_its_calls_answer(town: Town, tmp_path: Path) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "ok", "delay_seconds": 0.5})
    await town.plan(*placed(42))

    with process("sender", tmp_path, **settings_of(town)) as sender:
        await eventually(lambda: town.accepted(chat), within=20)
        code = sender.terminate()

    assert code == 0
    assert await town.states(42) == ["superseded", "delivered"]


async def test_a_refused_token_ends_the_process_with_the_code_no_supervisor_restarts(
    town: Town, tmp_path: Path
) -> None:
    await town.link()
    await town.plan(*placed(42))
    strange = {"NOTIFICATION_TELEGRAM_TOKEN": "999:not-the-one"}

    with process("sender", tmp_path, **settings_of(town, **strange)) as sender:
        code = sender.wait()

    assert code == 78
    assert "NOTIFICATION_TELEGRAM_TOKEN" in sender.log.read_text()
    assert "not-the-one" not in sender.log.read_text()
    assert await town.states(42) == ["superseded", "planned"]


async def test_a_bot_api_that_is_away_costs_time_and_nothing_else(town: Town, tmp_path: Path) -> None:
    chat = await town.link()
    await town.plan(*placed(42))
    nowhere = {"NOTIFICATION_TELEGRAM_URL": "http://127.0.0.1:9"}

    with process("sender", tmp_path, **settings_of(town, **nowhere)) as sender:
        await eventually(lambda: tried(town), within=20)
        assert sender.terminate() == 0
    assert await town.states(42) == ["superseded", "planned"]
    await town.deliver()

    assert town.accepted(chat) == [("sendMessage", "o:42:2")]


async def tried(town: Town) -> bool:
    return int((await town.rows(42))[1]["attempts"]) >= 2


def patient(town: Town) -> dict[str, str]:
    """A sender that waits long for its answer, so that it is killed while it waits."""
    return settings_of(town, NOTIFICATION_CALL_SECONDS="10", NOTIFICATION_LEASE_SECONDS="20")


def settings_of(town: Town, **others: str) -> dict[str, str]:
    return sender_settings(town.database.app_dsn, town.telegram.url, **others)
