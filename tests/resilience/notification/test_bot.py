"""Replicas of the bot that are killed and frozen: somebody always answers, once, and nobody is left waiting."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.bot_fixtures import Person, a_linked_person, a_person, an_invitation, linked
from tests.notification_fixtures import Town
from tests.notification_processes import NotificationProcess, process, sender_settings
from tests.waiting import eventually, for_the_length_of_a_fault

pytestmark = pytest.mark.faults

NONE_YET = "No orders yet."
LEASE_SECONDS = 6


def bot_process(town: Town) -> dict[str, str]:
    """Settings of a bot with short questions and a short lease."""
    return sender_settings(
        town.database.app_dsn,
        town.telegram.url,
        NOTIFICATION_CALL_SECONDS="3",
        NOTIFICATION_LEASE_SECONDS="20",
        NOTIFICATION_BOT_POLL_SECONDS="1",
        NOTIFICATION_BOT_LEASE_SECONDS=str(LEASE_SECONDS),
        NOTIFICATION_BOT_STANDBY_SECONDS="0.1",
    )


async def leads(replica: NotificationProcess, times: int = 1) -> None:
    """Wait until this replica leads."""
    await eventually(lambda: replica.log.read_text().count('"event":"bot.leads"') >= times, within=30)


async def hears(anna: Person, said: list[str], within: float = 20) -> None:
    """Wait until this is all the bot ever said here."""

    async def so() -> bool:
        assert await anna.heard() == said
        return True

    await eventually(so, within=within, every=0.1)


async def test_the_death_of_the_leader_costs_nobody_an_answer(town: Town, tmp_path: Path) -> None:
    anna, boris = await a_linked_person(town, 7), await a_linked_person(town, 8)
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()

    with process("bot", tmp_path / "one", **bot_process(town)) as one:
        await leads(one)
        with process("bot", tmp_path / "other", **bot_process(town)) as other:
            await other.ready()
            await anna.says("/orders")
            one.kill()
            await asyncio.gather(anna.types("/orders"), boris.types("/orders"))
            await hears(boris, [NONE_YET])
            await hears(anna, [NONE_YET] * 2)
            code = other.terminate()

    assert code == 0
    assert "bot.leads" in other.log.read_text()
    for log in (one.log.read_text(), other.log.read_text()):
        assert str(anna.chat) not in log
        assert NONE_YET not in log


async def test_a_reply_cut_off_by_a_kill_is_made_by_the_next_to_lead(town: Town, tmp_path: Path) -> None:
    anna, token = a_person(town), await an_invitation(town)
    (tmp_path / "one").mkdir()
    with process("bot", tmp_path / "one", **bot_process(town)) as one:
        await leads(one)
        await anna.says(f"/start {token}")
        yes = await anna.button("✅ Yes, tell me")
        held = {"answer": "too_many_requests", "retry_after": 600, "method": "editMessageText"}
        town.telegram.script(anna.chat, held)
        await anna.sends(yes)
        await eventually(lambda: bound(town, anna))
        one.kill()
    town.telegram.script(anna.chat)

    with process("bot", tmp_path, **bot_process(town)) as other:
        await leads(other)
        await anna.sees_begin("✅ Done: this chat is told about the orders of account •••7.")
        assert other.terminate() == 0

    assert await linked(town) == [(7, anna.chat, True)]
    assert len(await anna.heard()) == 1


async def test_a_leader_frozen_beyond_its_lease_answers_nobody_twice(town: Town, tmp_path: Path) -> None:
    anna = await a_linked_person(town)
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()

    with (
        process("bot", tmp_path / "one", **bot_process(town)) as one,
        process("bot", tmp_path / "other", **bot_process(town)) as other,
    ):
        await other.ready()
        await eventually(lambda: "bot.leads" in one.log.read_text() + other.log.read_text(), within=30)
        leader, standby = (one, other) if "bot.leads" in one.log.read_text() else (other, one)
        await anna.says("/orders")
        leader.signal(signal.SIGSTOP)
        await leads(standby)
        await anna.says("/orders")
        leader.signal(signal.SIGCONT)
        await eventually(lambda: "bot.stands_by" in leader.log.read_text())
        await anna.says("/orders")
        codes = [one.terminate(), other.terminate()]

    assert codes == [0, 0]
    assert await anna.heard() == [NONE_YET] * 3


async def test_a_restarted_bot_goes_on_where_it_stood(town: Town, tmp_path: Path) -> None:
    anna = await a_linked_person(town)

    with process("bot", tmp_path, **bot_process(town)) as running:
        await leads(running)
        await anna.says("/orders")
        assert running.terminate() == 0
        await anna.types("/orders")
        running.start()
        await leads(running, times=2)
        await hears(anna, [NONE_YET] * 2)
        assert running.terminate() == 0


async def test_a_telegram_that_is_away_is_waited_for(town: Town, tmp_path: Path) -> None:
    anna = await a_linked_person(town)

    with process("bot", tmp_path, **bot_process(town)) as running:
        await leads(running)
        town.telegram.stop()
        await for_the_length_of_a_fault(2)
        town.telegram.start()
        await anna.says("/orders")
        assert running.terminate() == 0


async def test_a_refused_token_needs_an_operator(town: Town, tmp_path: Path) -> None:
    settings = {**bot_process(town), "NOTIFICATION_TELEGRAM_TOKEN": "1000000001:another"}

    with process("bot", tmp_path, **settings) as running:
        assert running.wait() == 78

    assert "set NOTIFICATION_TELEGRAM_TOKEN to a valid one" in running.log.read_text()
    assert "another" not in running.log.read_text()


async def bound(town: Town, anna: Person) -> bool:
    return await linked(town) == [(7, anna.chat, True)]
