"""Who asks Telegram, and what is handled: a lease, an epoch, and every update once."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.notification.domain.message import Button, Message
from services.notification.domain.reply import (
    Addressed,
    EditButtons,
    EditMessage,
    Notice,
    Reply,
    SendMessage,
)
from services.notification.repository.updates import PostgresUpdates
from services.notification.service.desk import AnsweredBefore, Term, TermOver
from tests.notification_fixtures import Town

BOT = 1_000_000_001
MESSAGE = Message(text="<b>7</b> & 🧾", html=True, silent=True, buttons=(Button("Да", "l:ru:x"),), per_row=2)


def a_replica(town: Town, *, bot_id: int = BOT, lease: float = 60) -> PostgresUpdates:
    return PostgresUpdates(acquire=town.pool.acquire, bot_id=bot_id, owner=uuid4(), lease=timedelta(seconds=lease))


async def handle(replica: PostgresUpdates, update_id: int, epoch: int = 1, reply: Reply | None = None) -> None:
    async with replica.turn(update_id, epoch) as turn:
        if reply is not None:
            await turn.keep(Addressed(update_id=update_id, chat_id=70, query_id=None, reply=reply))


async def mute_and_fail(replica: PostgresUpdates, update_id: int) -> None:
    async with replica.turn(update_id, 1) as turn:
        await turn.desk.mutes.mute([7], None, None)
        raise ZeroDivisionError


async def the_lease_ends(town: Town) -> None:
    await town.eye.execute("update bot_polling set leased_until = clock_timestamp()")


async def test_one_replica_leads_and_the_other_stands_by(town: Town) -> None:
    one, other = a_replica(town), a_replica(town)

    assert await one.lead() == Term(epoch=1, offset=None)
    assert await other.lead() is None
    assert await one.lead() == Term(epoch=1, offset=None)


async def test_two_bots_do_not_stand_in_each_others_way(town: Town) -> None:
    assert await a_replica(town).lead() is not None
    assert await a_replica(town, bot_id=BOT + 1).lead() is not None


async def test_whoever_takes_over_goes_on_where_the_former_stood(town: Town) -> None:
    one, other = a_replica(town), a_replica(town)
    await one.lead()
    await handle(one, 17)
    await the_lease_ends(town)

    assert await other.lead() == Term(epoch=2, offset=18)
    assert await one.lead() is None


async def test_a_resigned_lead_is_free_at_once(town: Town) -> None:
    one, other = a_replica(town), a_replica(town)
    await one.lead()

    await one.resign()

    assert await other.lead() == Term(epoch=2, offset=None)


async def test_nobody_resigns_for_another(town: Town) -> None:
    one, other = a_replica(town), a_replica(town)
    await one.lead()

    await other.resign()

    assert await other.lead() is None


async def test_handling_keeps_the_lead(town: Town) -> None:
    one, other = a_replica(town), a_replica(town)
    await one.lead()
    await town.eye.execute("update bot_polling set leased_until = clock_timestamp()")

    await handle(one, 17)

    assert await other.lead() is None


async def test_an_update_is_handled_once(town: Town) -> None:
    one = a_replica(town)
    await one.lead()
    await handle(one, 17)

    with pytest.raises(AnsweredBefore):
        await handle(one, 17)
    with pytest.raises(AnsweredBefore):
        await handle(one, 16)


async def test_an_update_whose_transaction_failed_is_handled_again(town: Town) -> None:
    one = a_replica(town)
    await one.lead()

    with pytest.raises(ZeroDivisionError):
        await mute_and_fail(one, 17)
    await handle(one, 17)

    assert await town.eye.fetchval("select count(*) from mutes") == 0


async def test_a_former_leader_handles_nothing_more(town: Town) -> None:
    one, other = a_replica(town), a_replica(town)
    await one.lead()
    await the_lease_ends(town)
    await other.lead()

    with pytest.raises(TermOver):
        await handle(one, 17, epoch=1)
    await handle(other, 17, epoch=2)


async def test_after_two_days_of_silence_numbers_may_begin_anew(town: Town) -> None:
    one = a_replica(town)
    await one.lead()
    await handle(one, 900_000_000)
    await town.eye.execute("update bot_polling set moved_at = clock_timestamp() - interval '49 hours'")

    assert await one.lead() == Term(epoch=1, offset=None)
    await handle(one, 17)

    assert await one.lead() == Term(epoch=1, offset=18)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(deed=SendMessage(MESSAGE)),
        Reply(deed=EditMessage(9, MESSAGE), notice=Notice("Готово")),
        Reply(deed=EditButtons(9, MESSAGE.buttons, 2), notice=Notice("да", stays=True)),
        Reply(notice=Notice("да", stays=True)),
    ],
)
async def test_a_reply_is_kept_as_it_was_until_it_is_made(town: Town, reply: Reply) -> None:
    one = a_replica(town)
    await one.lead()

    await handle(one, 17, reply=reply)
    kept = await one.unmade()
    await one.made(17)

    assert kept == [Addressed(update_id=17, chat_id=70, query_id=None, reply=reply)]
    assert await one.unmade() == []


async def test_replies_of_an_hour_ago_answer_nobody_and_go_within_a_day(town: Town) -> None:
    one = a_replica(town)
    await one.lead()
    await handle(one, 17, reply=Reply(deed=SendMessage(MESSAGE)))
    await town.eye.execute("update bot_replies set kept_at = clock_timestamp() - interval '25 hours'")

    assert await one.unmade() == []
    await one.made(18)

    assert await town.eye.fetchval("select count(*) from bot_replies") == 0
