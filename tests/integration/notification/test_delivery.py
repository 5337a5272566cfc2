"""From a planned row to a person's phone, with the real ledger and a real Bot API."""

from collections import Counter
from datetime import timedelta

from prometheus_client import REGISTRY

from services.notification.domain.change import Status
from services.notification.domain.outcome import Delivered, Outcome
from tests.notification_fixtures import Town, a_change, paid, placed
from tests.recorded_spans import recorded_spans
from tests.waiting import eventually


async def test_a_burst_is_shown_as_its_last_state(town: Town) -> None:
    chat = await town.link()
    await town.plan(*placed(42))

    await town.deliver()

    assert town.accepted(chat) == [("sendMessage", "o:42:2")]
    assert await town.states(42) == ["superseded", "delivered"]


async def test_a_paid_order_edits_its_card_and_makes_a_sound(town: Town) -> None:
    chat = await town.link()
    await town.plan(*placed(42))
    await town.deliver()

    await town.plan(paid(42))
    await town.deliver()

    assert town.accepted(chat) == [
        ("sendMessage", "o:42:2"),
        ("editMessageText", "o:42:3"),
        ("sendMessage", "o:42:3"),
    ]
    assert [message["text"] for message in town.telegram.screen(chat)] == [
        "🧾 Order 42 · 3 items\n✅ Placed 14:03   ✅ Paid 14:03   ▫️ Assembled",
        "✅ Order 42 is paid.",
    ]
    assert await town.states(42) == ["superseded", "delivered", "delivered"]
    card = await town.card(42)
    assert (card["wanted_version"], card["shown_version"]) == (3, 3)


async def test_two_senders_share_the_chats_and_send_nothing_twice(town: Town) -> None:
    for user_id in range(1, 21):
        await town.link(user_id)
    await town.plan(*(change for order in range(1, 41) for change in placed(order, user_id=order % 20 + 1)))
    await town.plan(*(paid(order, user_id=order % 20 + 1) for order in range(1, 41)))

    async with town.sender(), town.sender():
        await eventually(town.settled, within=30)

    for order in range(1, 41):
        assert await town.states(order) == ["superseded", "superseded", "delivered"]
    chats = [row["chat_id"] for row in await town.eye.fetch("select chat_id from subscribers")]
    sends = [named for chat in chats for _, named in town.accepted(chat)]
    assert Counter(sends) == {f"o:{order}:3": 2 for order in range(1, 41)}


async def test_a_limit_of_our_own_delays_and_costs_no_attempt(town: Town) -> None:
    class EverySecondCall:
        def __init__(self) -> None:
            self.asked = 0

        async def room(self, calls_max: int) -> int:
            return calls_max

        async def heard(self, chat_id: int, outcome: Outcome) -> None:
            assert (chat_id, outcome) == (chat, Delivered(1))

        async def wait_for(self, chat_id: int) -> timedelta:
            assert chat_id
            self.asked += 1
            return timedelta(milliseconds=50 * (self.asked % 2))

    chat = await town.link()
    await town.plan(*placed(42))

    await town.deliver(limits=EverySecondCall())

    assert town.accepted(chat) == [("sendMessage", "o:42:2")]
    assert (await town.rows(42))[1]["attempts"] == 1


async def test_a_call_continues_the_trace_of_its_status_change(town: Town) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    chat = await town.link()
    await town.plan(a_change(42, 1, Status.NEW, traceparent=f"00-{trace}-b7ad6b7169203331-01"))

    with recorded_spans() as spans:
        await town.deliver()

    (span,) = [each for each in spans.get_finished_spans() if each.name == "notification send_card"]
    assert span.context is not None
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == trace
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert str(chat) not in str(span.to_json())
    assert span.attributes == {"onelane.order_id": 42, "onelane.version": 1, "onelane.outcome": "Delivered"}


async def test_what_is_delivered_is_counted_with_its_latency(town: Town) -> None:
    await town.link()
    now = await town.eye.fetchval("select clock_timestamp()")
    before = finished("delivered"), finished("superseded"), latencies()
    await town.plan(a_change(42, 1, Status.NEW, moment=now), a_change(42, 2, Status.AWAITING_PAYMENT, moment=now))

    await town.deliver()

    assert (finished("delivered"), finished("superseded"), latencies()) == (before[0] + 1, before[1] + 1, before[2] + 1)


def finished(state: str) -> float:
    return REGISTRY.get_sample_value("notification_finished_total", {"state": state}) or 0


def latencies() -> float:
    return REGISTRY.get_sample_value("notification_commit_to_delivered_seconds_count") or 0
