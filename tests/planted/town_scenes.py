"""The smallest scene of the notification service that provokes each mistake; right parts are judged clean in it.

What Telegram accepted, and when it was called, is asked of the stand-in alone: the ledger is what may be wrong.
"""

import asyncio
from collections import Counter

from services.notification import bootstrap
from tests.bot_fixtures import OtherDesk, a_person, an_invitation, bot, bot_settings
from tests.chaos.judgement import Judgement, Kind
from tests.notification_fixtures import a_chat, paid, placed
from tests.planted.town_stand import TownStand

_PAUSE_SECONDS = 1


async def an_answer_that_is_lost(stand: TownStand) -> Judgement:
    """Telegram accepts a card and closes the connection."""
    town = stand.town
    chat = await town.link()
    town.telegram.script(chat, {"answer": "close"})
    await town.plan(*placed(42))

    await stand.deliver()

    verdict = Judgement(orders=1, changes=2)
    for (method, name), times in Counter(town.accepted(chat)).items():
        if method == "sendMessage" and times > 1:
            verdict.found(Kind.DOUBLED, "I-18", f"{name} was sent {times} times although nobody resent it")
    return verdict


async def a_pause_that_is_asked_for(stand: TownStand) -> Judgement:
    """Telegram refuses a card and says when to come back."""
    town = stand.town
    chat = await town.link()
    town.telegram.script(chat, {"answer": "too_many_requests", "retry_after": _PAUSE_SECONDS})
    await town.plan(*placed(42))

    await stand.deliver()

    verdict = Judgement(orders=1, changes=2)
    refused, *later = await asyncio.to_thread(town.telegram.calls, chat)
    for call in later:
        if call["at"] - refused["at"] < _PAUSE_SECONDS:
            early = f"called after {call['at'] - refused['at']:.2f} s, asked to wait {_PAUSE_SECONDS} s"
            verdict.found(Kind.DOUBLED, "I-24", early)
    return verdict


async def an_account_that_moves_to_another_chat(stand: TownStand) -> Judgement:
    """An order is told in one chat, its owner moves to another, the order is paid."""
    town = stand.town
    former = await town.link()
    await town.plan(*placed(42))
    await stand.deliver()
    told_before = len(town.accepted(former))
    await town.link(chat_id=a_chat(), move=True)
    await town.plan(paid(42))

    await stand.deliver()

    verdict = Judgement(orders=1, changes=3)
    for _, name in town.accepted(former)[told_before:]:
        verdict.found(Kind.DOUBLED, "I-20", f"{name} was told in a chat that is not its owner's any more")
    return verdict


async def a_token_that_was_used(stand: TownStand) -> Judgement:
    """Somebody declines a link, and the token is shown once more: by whoever looked over their shoulder."""
    town = stand.town
    anna, token = a_person(town), await an_invitation(town)
    updates = OtherDesk(bootstrap.bot_updates(town.pool.acquire, bot_settings(town.telegram.url)), stand.desk)

    async with bot(town, updates=updates):
        await anna.says(f"/start {token}")
        await anna.taps("No")
        await anna.sees("Nothing was linked.")
        second = await anna.says(f"/start {token}")

    verdict = Judgement()
    if second.startswith("Shall this chat be told"):
        verdict.found(Kind.DOUBLED, "I-20", "a token that was used offers its account again")
    return verdict
