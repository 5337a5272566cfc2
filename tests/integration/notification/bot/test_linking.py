"""From a token to a link: offered to one chat, confirmed there, once, in time, and never moved by a mere yes."""

import pytest

from tests.bot_fixtures import a_linked_person, a_person, an_invitation, bot, linked
from tests.notification_fixtures import Town, paid, placed

INVALID = "This link is not valid, or not any more. Ask your shop for a new one: it works once, within ten minutes."
DONE = (
    "✅ Done: this chat is told about the orders of account •••07. "
    "/mute and /stop are yours at any time, /help lists the rest."
)


async def test_a_link_is_offered_with_a_masked_account_and_made_when_confirmed(town: Town) -> None:
    anna, token = a_person(town), await an_invitation(town, 1207)

    async with bot(town):
        offer = await anna.says(f"/start {token}")
        assert await linked(town) == []
        await anna.taps("✅ Yes, tell me")

    assert offer == "Shall this chat be told about the orders of account •••07?"
    assert await anna.reads() == DONE
    assert await linked(town) == [(1207, anna.chat, True)]


async def test_a_linked_chat_is_told_what_happens_next(town: Town) -> None:
    anna, token = a_person(town), await an_invitation(town)
    async with bot(town):
        await anna.says(f"/start {token}")
        await anna.taps("✅ Yes, tell me")
    await town.plan(*placed(42))

    await town.deliver()

    assert await anna.reads() == "🧾 Order 42 · 3 items\n✅ Placed 14:03   ▫️ Paid   ▫️ Assembled"


async def test_a_declined_link_is_not_made_and_not_offered_again(town: Town) -> None:
    anna, token = a_person(town), await an_invitation(town)

    async with bot(town):
        await anna.says(f"/start {token}")
        await anna.taps("No")
        await anna.sees("Nothing was linked.")

        assert await anna.says(f"/start {token}") == INVALID
    assert await linked(town) == []


async def test_a_token_works_once(town: Town) -> None:
    anna, token = a_person(town), await an_invitation(town)

    async with bot(town):
        await anna.says(f"/start {token}")
        await anna.taps("✅ Yes, tell me")

        assert await anna.says(f"/start {token}") == INVALID


async def test_a_token_belongs_to_the_first_chat_that_opens_it(town: Town) -> None:
    anna, eve, token = a_person(town), a_person(town), await an_invitation(town)

    async with bot(town):
        await anna.says(f"/start {token}")
        stolen = await eve.says(f"/start {token}")
        await anna.taps("✅ Yes, tell me")

    assert stolen == INVALID
    assert await linked(town) == [(7, anna.chat, True)]


async def test_opening_the_same_link_again_before_confirming_offers_it_again(town: Town) -> None:
    anna, token = a_person(town), await an_invitation(town)

    async with bot(town):
        first = await anna.says(f"/start {token}")

        assert await anna.says(f"/start {token}") == first


@pytest.mark.parametrize("token", ["guessed", "-", "A" * 22, "' or 1=1 --"])
async def test_a_guessed_token_is_answered_like_an_old_one(town: Town, token: str) -> None:
    async with bot(town):
        assert await a_person(town).says(f"/start {token}") == INVALID


async def test_a_token_ends_after_ten_minutes(town: Town) -> None:
    anna, token = a_person(town), await an_invitation(town)
    lasts = await town.eye.fetchval("select extract(epoch from expires_at - created_at)::integer from link_tokens")
    await town.eye.execute("update link_tokens set expires_at = clock_timestamp()")

    async with bot(town):
        assert await anna.says(f"/start {token}") == INVALID

    assert lasts == 600


async def test_an_offer_confirmed_too_late_links_nothing(town: Town) -> None:
    anna, token = a_person(town), await an_invitation(town)

    async with bot(town):
        await anna.says(f"/start {token}")
        await town.eye.execute("update link_tokens set expires_at = clock_timestamp()")
        await anna.taps("✅ Yes, tell me")

    assert await anna.reads() == INVALID
    assert await linked(town) == []


async def test_a_token_is_stored_as_a_hash_only(town: Town) -> None:
    token = await an_invitation(town)

    [kept] = await town.eye.fetch("select * from link_tokens")

    assert len(token) == 22
    assert token.encode() not in bytes(kept["token_hash"])
    assert token not in str(dict(kept))


async def test_a_chat_in_use_moves_only_when_told_to(town: Town) -> None:
    anna, token = await a_linked_person(town, 1211), await an_invitation(town, 1207)

    async with bot(town):
        offer = await anna.says(f"/start {token}")
        buttons = await anna.buttons()
        await anna.taps("↪️ Yes, move it")

    assert offer == "This chat is told about account •••11. Shall it be told about account •••07 instead?"
    assert buttons == ["↪️ Yes, move it", "No"]
    assert await linked(town) == [(1207, anna.chat, True)]


async def test_an_account_told_elsewhere_moves_only_when_told_to(town: Town) -> None:
    await a_linked_person(town, 1207)
    anna, token = a_person(town), await an_invitation(town, 1207)

    async with bot(town):
        offer = await anna.says(f"/start {token}")
        await anna.taps("↪️ Yes, move it")

    assert offer == "Account •••07 is told in another chat. Shall it be told here instead?"
    assert await linked(town) == [(1207, anna.chat, True)]


async def test_a_yes_given_before_something_came_in_the_way_asks_again(town: Town) -> None:
    anna, token = a_person(town), await an_invitation(town, 1207)

    async with bot(town):
        await anna.says(f"/start {token}")
        other = await a_linked_person(town, 1207)
        await anna.taps("✅ Yes, tell me")

        await anna.sees("Account •••07 is told in another chat. Shall it be told here instead?")
        assert await linked(town) == [(1207, other.chat, True)]


async def test_after_a_move_the_former_chat_hears_nothing_more(town: Town) -> None:
    former = await a_linked_person(town)
    anna, token = a_person(town), await an_invitation(town)
    async with bot(town):
        await anna.says(f"/start {token}")
        await anna.taps("↪️ Yes, move it")
        await anna.sees(
            "✅ Done: this chat is told about the orders of account •••7. "
            "/mute and /stop are yours at any time, /help lists the rest."
        )
        asked = await former.says("/order 42")
    await town.plan(*placed(42), paid(42))

    await town.deliver()

    assert asked == "This chat is not linked to an account. Open the link your shop shows you and confirm it here."
    assert await former.reads() == asked


async def test_confirming_twice_links_once_and_says_the_same(town: Town) -> None:
    anna, token = a_person(town), await an_invitation(town, 1207)

    async with bot(town):
        await anna.says(f"/start {token}")
        yes = await anna.button("✅ Yes, tell me")
        await anna.taps("✅ Yes, tell me")
        ended = await anna.sends(yes)

    assert ended == ""
    assert await anna.reads() == DONE
    assert await linked(town) == [(1207, anna.chat, True)]


async def test_a_link_is_not_confirmed_in_a_group(town: Town) -> None:
    group, token = a_person(town, -4_200_001), await an_invitation(town)

    async with bot(town):
        said = await group.says(f"/start {token}")

    assert said == "A link is confirmed in a private chat with me: open it there."
    assert await linked(town) == []


async def test_a_russian_phone_is_linked_in_russian(town: Town) -> None:
    anna, token = a_person(town), await an_invitation(town, 1207)
    await anna.speaks("ru")

    async with bot(town):
        offer = await anna.says(f"/start {token}")
        await anna.taps("✅ Да, рассказывать")
        await town.plan(*placed(42, user_id=1207))
        await town.deliver()

    assert offer == "Рассказывать в этом чате о заказах аккаунта •••07?"
    assert await anna.reads() == "🧾 Заказ 42 · 3 товара\n✅ Оформлен 14:03   ▫️ Оплачен   ▫️ Собран"
