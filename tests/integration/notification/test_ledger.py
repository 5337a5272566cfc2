"""The ledger in Postgres: claims exclude one another, late answers change nothing, unheard claims are undone."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.notification.domain.lane import Assignment, decide
from services.notification.domain.outcome import Delivered
from services.notification.repository.ledger import PostgresLedger
from services.notification.service.delivery import Called, Delivery
from services.notification.service.ports import LedgerAway
from tests.notification_fixtures import RETRY, Town, placed


async def claimed(delivery: Delivery) -> list[Assignment]:
    return list((await delivery.claim(10)).assignments)


async def test_calling_is_committed_before_the_call_is_made(town: Town) -> None:
    await town.link()
    await town.plan(*placed(42))

    await claimed(town.delivery())

    (_, row) = await town.rows(42)
    assert (row["state"], row["call"], row["epoch"], row["attempts"]) == ("calling", "send_card", 1, 1)


async def test_a_claimed_chat_is_nobody_elses_until_its_lease_ends(town: Town) -> None:
    await town.link()
    await town.plan(*placed(42))
    assert len(await claimed(town.delivery())) == 1

    assert await claimed(town.delivery()) == []


async def test_what_is_planned_during_a_call_is_due_when_the_call_is_over(town: Town) -> None:
    await town.link()
    await town.plan(*placed(42))
    delivery = town.delivery()
    (assignment,) = await claimed(delivery)
    await town.plan(*placed(43))

    await delivery.settle([Called(assignment=assignment, outcome=Delivered(9))])

    (following,) = await claimed(delivery)
    assert following.notification.order_id == 43


async def test_a_chat_without_open_rows_is_not_looked_at_again(town: Town) -> None:
    await town.link()
    await town.plan(*placed(42))
    delivery = town.delivery()
    (assignment,) = await claimed(delivery)

    await delivery.settle([Called(assignment=assignment, outcome=Delivered(9))])

    assert await town.eye.fetchval("select due_at from chat_lanes") is None
    assert (await delivery.claim(10)).lanes == 0


async def test_an_answer_after_the_lease_is_left_unwritten(town: Town) -> None:
    await town.link()
    await town.plan(*placed(42))
    late = town.delivery()
    (assignment,) = await claimed(late)
    await town.leases_end()
    taker = await town.delivery().claim(10)
    assert [row.state for row in taker.finished] == ["uncertain"]

    closed = await late.settle([Called(assignment=assignment, outcome=Delivered(9))])

    assert (list(closed.finished), closed.fenced) == ([], 1)
    assert await town.states(42) == ["superseded", "uncertain"]
    assert (await town.card(42))["message_id"] is None


async def test_an_answer_after_the_lease_counts_while_nobody_took_the_chat_over(town: Town) -> None:
    await town.link()
    await town.plan(*placed(42))
    late = town.delivery()
    (assignment,) = await claimed(late)
    await town.leases_end()

    closed = await late.settle([Called(assignment=assignment, outcome=Delivered(9))])

    assert closed.fenced == 0
    assert await town.states(42) == ["superseded", "delivered"]


async def test_writing_an_answer_twice_changes_nothing(town: Town) -> None:
    await town.link()
    await town.plan(*placed(42))
    delivery = town.delivery()
    (assignment,) = await claimed(delivery)
    call = Called(assignment=assignment, outcome=Delivered(9))
    await delivery.settle([call])
    before = await town.rows(42)

    await delivery.settle([call])

    assert await town.rows(42) == before


async def test_a_claim_whose_commit_was_never_heard_of_is_undone(town: Town) -> None:
    known, unheard = await town.link(7), await town.link(8)
    await town.plan(*placed(42, user_id=7), *placed(43, user_id=8))
    delivery = town.delivery()
    await claimed(delivery)

    undone = await delivery.hand_back({known})

    assert undone == 1
    assert await town.states(42) == ["superseded", "calling"]
    (_, row) = await town.rows(43)
    assert (row["state"], row["attempts"]) == ("planned", 0)
    (again,) = await claimed(delivery)
    assert again.lane.chat_id == unheard


async def test_a_claim_of_somebody_else_is_never_undone(town: Town) -> None:
    await town.link()
    await town.plan(*placed(42))
    await claimed(town.delivery())

    assert await town.delivery().hand_back(()) == 0


async def test_a_row_that_changes_under_a_claim_undoes_the_claim(town: Town) -> None:
    await town.link()
    await town.plan(*placed(42))
    ledger = PostgresLedger(acquire=town.pool.acquire, owner=uuid4())

    async def claim() -> None:
        async with ledger.turn() as turn:
            ((lane, head),) = await turn.claim(lanes_max=10, lease=timedelta(seconds=60))
            await town.eye.execute("update notifications set epoch = 99 where order_id = 42")
            await turn.apply([decide(lane, head, RETRY)])

    with pytest.raises(LedgerAway, match="late answer"):
        await claim()

    assert await town.states(42) == ["planned", "planned"]
    assert await town.eye.fetchval("select epoch from chat_lanes") == 0


async def test_a_session_that_is_cut_is_the_ledger_being_away(town: Town) -> None:
    ledger = PostgresLedger(acquire=town.pool.acquire, owner=uuid4())

    async def claim() -> None:
        async with ledger.turn() as turn:
            await town.eye.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
            await turn.claim(lanes_max=10, lease=timedelta(seconds=60))

    with pytest.raises(LedgerAway):
        await claim()


async def test_what_is_planned_for_somebody_who_is_erased_is_given_up(town: Town) -> None:
    await town.link()
    await town.plan(*placed(42))
    await town.eye.execute("delete from subscribers")

    await town.deliver()

    assert await town.states(42) == ["no_subscriber", "no_subscriber"]


async def test_a_card_that_is_erased_is_sent_anew(town: Town) -> None:
    chat = await town.link()
    await town.plan(*placed(42))
    await town.eye.execute("delete from order_cards")

    await town.deliver()

    assert town.accepted(chat) == [("sendMessage", "o:42:2")]
    assert (await town.card(42))["shown_version"] == 2
