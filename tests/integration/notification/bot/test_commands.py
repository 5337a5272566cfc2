"""Every command, in both languages, for those who are linked and for strangers."""

import pytest

from services.notification.domain.change import Status
from tests.bot_fixtures import Person, a_linked_person, a_person, bot, linked
from tests.notification_fixtures import MOMENT, Town, a_change, paid, placed

NOT_LINKED = "This chat is not linked to an account. Open the link your shop shows you and confirm it here."
COMMANDS = ("orders", "order", "mute", "language", "why", "stop", "start", "help")


async def in_russian(town: Town, user_id: int = 7) -> Person:
    """A linked person who reads Russian."""
    boris = await a_linked_person(town, user_id)
    await town.eye.execute("update subscribers set language = 'ru' where user_id = $1", user_id)
    return boris


async def test_start_greets_a_stranger_and_says_how_to_link(town: Town) -> None:
    async with bot(town):
        said = await a_person(town).says("/start")

    assert said.startswith("Hello! I tell people about their orders.")
    assert await linked(town) == []


async def test_a_stranger_is_greeted_in_the_language_of_the_phone(town: Town) -> None:
    boris = a_person(town)
    await boris.speaks("ru")

    async with bot(town):
        assert (await boris.says("/start")).startswith("Здравствуйте! Я рассказываю людям об их заказах.")


async def test_start_tells_a_linked_chat_what_it_is_told(town: Town) -> None:
    anna = await a_linked_person(town, 1207)

    async with bot(town):
        said = await anna.says("/start")

    assert said == (
        "This chat is told about the orders of account •••07. /orders lists them, /help says what else I can do."
    )


@pytest.mark.parametrize("command", ["/orders", "/order 42", "/mute", "/language", "/why", "/stop", "42"])
async def test_a_stranger_learns_nothing_but_how_to_link(town: Town, command: str) -> None:
    await town.plan(*placed(42))

    async with bot(town):
        assert await a_person(town).says(command) == NOT_LINKED


async def test_orders_lists_the_newest_first(town: Town) -> None:
    anna = await a_linked_person(town)
    await town.plan(*placed(42), paid(42), *placed(43), a_change(44, 1, Status.NEW, items=1), *placed(45, user_id=8))

    async with bot(town):
        said = await anna.says("/orders")

    assert said == (
        "Your orders\n"
        "Order 44 · 1 item\n    🕐 Placed, 2026-11-21 14:03\n"
        "Order 43 · 3 items\n    🕐 Waiting for payment, 2026-11-21 14:03\n"
        "Order 42 · 3 items\n    ✅ Paid, 2026-11-21 14:03"
    )


async def test_orders_are_listed_in_russian_too(town: Town) -> None:
    boris = await in_russian(town)
    await town.plan(*placed(42), paid(42))

    async with bot(town):
        assert await boris.says("/orders") == "Ваши заказы\nЗаказ 42 · 3 товара\n    ✅ Оплачен, 21.11.2026 14:03"


async def test_no_orders_yet_is_said_so(town: Town) -> None:
    anna = await a_linked_person(town)

    async with bot(town):
        assert await anna.says("/orders") == "No orders yet."


async def test_more_orders_than_fit_are_turned_over_in_place(town: Town) -> None:
    anna = await a_linked_person(town)
    for order_id in range(1, 13):
        await town.plan(*placed(order_id))

    async with bot(town):
        first = await anna.says("/orders")
        await anna.taps("Older ▾")
        await anna.sees(
            "Your orders\n"
            "Order 2 · 3 items\n    🕐 Waiting for payment, 2026-11-21 14:03\n"
            "Order 1 · 3 items\n    🕐 Waiting for payment, 2026-11-21 14:03"
        )

    assert [line.split(" · ")[0] for line in first.split("\n")[1::2]] == [
        f"Order {order}" for order in range(12, 2, -1)
    ]


async def test_orders_placed_before_the_link_are_known(town: Town) -> None:
    await town.plan(*placed(42))
    anna = await a_linked_person(town)

    async with bot(town):
        assert (await anna.says("/orders")).startswith("Your orders\nOrder 42")


@pytest.mark.parametrize("asked", ["/order 42", "/order #42", "42", "/ORDER 42", "/order@onelane_bot 42"])
async def test_order_tells_one_orders_story(town: Town, asked: str) -> None:
    anna = await a_linked_person(town)
    await town.plan(*placed(42), paid(42))

    async with bot(town):
        said = await anna.says(asked)

    assert said == (
        "🧾 Order 42 · 3 items\n🕐 Waiting for payment, 2026-11-21 14:03\n✅ Paid, 2026-11-21 14:03\nTimes are UTC."
    )


async def test_an_order_that_failed_is_told_from_its_beginning(town: Town) -> None:
    boris = await in_russian(town)
    await town.plan(a_change(42, 1, Status.NEW), a_change(42, 2, Status.FAILED))

    async with bot(town):
        said = await boris.says("/order 42")

    assert said == (
        "🧾 Заказ 42 · 3 товара\n🕐 Оформлен, 21.11.2026 14:03\n❌ Не хватило товара, 21.11.2026 14:03\nВремя — UTC."
    )


async def test_an_order_of_somebody_else_and_no_order_are_answered_alike(town: Town) -> None:
    await a_linked_person(town, 8)
    anna = await a_linked_person(town, 7)
    await town.plan(*placed(43, user_id=8))

    async with bot(town):
        assert await anna.says("/order 43") == "You have no order 43."
        assert await anna.says("/order 44") == "You have no order 44."


@pytest.mark.parametrize("asked", ["/order", "/order 0", "/order -1", "/order abc", "/order 9223372036854775808"])
async def test_order_without_a_number_asks_for_one(town: Town, asked: str) -> None:
    anna = await a_linked_person(town)

    async with bot(town):
        assert await anna.says(asked) == "Which order? Write its number after the command: /order 42"


async def test_help_lists_every_command(town: Town) -> None:
    anna = await a_linked_person(town)

    async with bot(town):
        said = await anna.says("/help")

    assert said.startswith(
        "This is what I can do:\n\n/orders – your newest orders\n/order – one order, as in /order 42\n"
    )
    assert all(f"/{command} – " in said for command in COMMANDS)


@pytest.mark.parametrize("typed", ["hello", "/unknown", "/", "42 please", "🙂", "<b>bold</b> & more"])
async def test_what_is_not_understood_is_answered_with_what_is(town: Town, typed: str) -> None:
    anna = await a_linked_person(town)

    async with bot(town):
        said = await anna.says(typed)

    assert said.startswith("I did not understand that. This is what I know:\n\n/orders – ")


async def test_a_group_is_not_bothered_with_what_is_not_meant_for_the_bot(town: Town) -> None:
    group = a_person(town, await town.link(7, -4_200_002))

    async with bot(town):
        await group.types("good morning everybody")
        await group.types("/order@another_bot 42")
        said = await group.says("/orders")

    assert said == "No orders yet."
    assert await group.heard() == [said]


async def test_the_menu_of_a_phone_offers_every_command_in_its_language(town: Town) -> None:
    anna, boris = a_person(town), a_person(town)
    await boris.speaks("ru")

    async with bot(town):
        await anna.says("/start")
        menus = [town.telegram.phone(person.chat)["commands"] for person in (anna, boris)]

    assert [tuple(each["command"] for each in menu) for menu in menus] == [COMMANDS, COMMANDS]
    assert [menu[0]["description"] for menu in menus] == ["your newest orders", "последние заказы"]


async def test_why_says_which_account_and_since_when(town: Town) -> None:
    anna = await a_linked_person(town, 1207)
    await town.eye.execute("update subscribers set linked_at = $1", MOMENT)

    async with bot(town):
        said = await anna.says("/why")

    assert said == (
        "This chat is told about the orders of account •••07 because it was linked on 2026-11-21 14:03 UTC. "
        "/stop ends it.\n"
        "🔔 Sound is on."
    )


async def test_why_says_what_holds_it_back(town: Town) -> None:
    boris = await in_russian(town)

    async with bot(town):
        await boris.says("/stop")
        said = await boris.says("/why")

    assert "Вы сказали /stop или заблокировали меня: сейчас ничего не отправляется. Начать снова — /start." in said


async def test_stop_ends_the_telling_and_start_begins_it_again(town: Town) -> None:
    anna = await a_linked_person(town, 1207)

    async with bot(town):
        stopped = await anna.says("/stop")
        await town.plan(*placed(42, user_id=1207))
        await town.deliver()
        silence = town.accepted(anna.chat)
        back = await anna.says("/start")
        await town.plan(*placed(43, user_id=1207))
        await town.deliver()

    assert stopped == "Stopped: nothing more is sent to this chat. /start begins again."
    assert back == (
        "Welcome back! This chat is told about the orders of account •••07 again. /orders shows where they stand."
    )
    assert silence == []
    assert town.accepted(anna.chat) == [("sendMessage", "o:43:2")]
    assert await town.states(42) == ["no_subscriber", "no_subscriber"]


async def test_what_was_planned_before_a_stop_is_not_sent_after_it(town: Town) -> None:
    anna = await a_linked_person(town)
    await town.plan(*placed(42))

    async with bot(town):
        await anna.says("/stop")
        await town.deliver()

    assert town.accepted(anna.chat) == []
    assert await town.states(42) == ["no_subscriber", "no_subscriber"]


async def test_whoever_blocks_the_bot_is_not_told_until_start(town: Town) -> None:
    anna = await a_linked_person(town)

    async with bot(town):
        await anna.blocks()
        await anna.becomes(active=False, town=town)
        await town.plan(*placed(42))
        await town.deliver()
        await anna.says("/start")

    assert await linked(town) == [(7, anna.chat, True)]
    assert town.accepted(anna.chat) == []


async def test_language_is_chosen_by_its_own_name_and_kept(town: Town) -> None:
    anna = await a_linked_person(town)
    await town.plan(*placed(42))

    async with bot(town):
        asked = await anna.says("/language")
        buttons = await anna.buttons()
        await anna.taps("Русский")
        await anna.sees("Теперь я говорю по-русски.")
        await town.deliver()
        await anna.sees("🧾 Заказ 42 · 3 товара\n✅ Оформлен 14:03   ▫️ Оплачен   ▫️ Собран")
        await anna.says("/language")
        await anna.taps("English")
        await anna.sees("I speak English from now on.")

    assert asked == "Which language shall I speak?"
    assert buttons == ["English", "Русский"]


@pytest.mark.parametrize(
    ("choice", "said", "silent"),
    [
        ("All", "🔕 Nothing makes a sound until you say otherwise.", True),
        ("All, 1 hour", "🔕 Nothing makes a sound until ", True),
        ("All, 8 hours", "🔕 Nothing makes a sound until ", True),
        ("🔔 Sound on", "🔔 Sound is on.", False),
    ],
)
async def test_mute_takes_the_sound_away_and_nothing_else(town: Town, choice: str, said: str, *, silent: bool) -> None:
    anna = await a_linked_person(town)

    async with bot(town):
        asked = await anna.says("/mute")
        await anna.taps(choice)
        await anna.sees_begin(said)
    await town.plan(*placed(42), paid(42))
    await town.deliver()

    assert asked == "What shall make no sound? I go on writing, silently.\n🔔 Sound is on."
    [card, alert] = [line for line in town.telegram.accepted(anna.chat) if line["text"].startswith(("🧾", "✅"))]
    assert (card["method"], alert["text"]) == ("sendMessage", "✅ Order 42 is paid.")
    assert is_silent(card)
    assert is_silent(alert) is silent


async def test_a_silence_ends_by_itself(town: Town) -> None:
    boris = await in_russian(town)

    async with bot(town):
        await boris.says("/mute")
        await boris.taps("Всё, на 1 час")
        await boris.sees_begin("🔕 Всё без звука до ")
        hour = await town.eye.fetchval("select round(extract(epoch from until - clock_timestamp()) / 60) from mutes")
        await town.eye.execute("update mutes set until = clock_timestamp()")
        await town.plan(*placed(42), paid(42))
        await town.deliver()

    assert hour == 60
    assert [is_silent(line) for line in town.telegram.accepted(boris.chat)[-2:]] == [True, False]


def is_silent(line: dict[str, object]) -> bool:
    payload = line["payload"]
    assert isinstance(payload, dict)
    return str(payload.get("disable_notification")).lower() == "true"
