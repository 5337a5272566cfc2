import asyncio

import pytest

from services.loms.domain.errors import IdempotencyKeyReused, RequestInProgress
from services.loms.domain.ids import Sku, UserId
from services.loms.service.attempts import Answer, Attempt
from tests.loms_fixtures import Platform, items, waits_for_a_lock
from tests.waiting import eventually

IN_STOCK = Sku(1148162)  # 300 pieces, none reserved
USER = UserId(7)


def an_attempt(*, key: str = "k-1", owner: int = USER, body: bytes = b"the body") -> Attempt:
    return Attempt("user", owner, key, body)


async def test_the_same_key_and_body_get_the_first_answer_again(platform: Platform) -> None:
    first = await platform.orders.create(USER, items((IN_STOCK, 1)), an_attempt())

    again = await platform.orders.create(USER, items((IN_STOCK, 1)), an_attempt())

    assert (first.replayed, again.replayed) == (False, True)
    assert again.order_id == first.order_id
    assert await platform.count("orders") == 1
    assert await platform.stock(IN_STOCK) == (300, 1)


async def test_a_failed_order_is_replayed_as_failed_although_stock_came_back(platform: Platform) -> None:
    first = await platform.orders.create(USER, items((IN_STOCK, 301)), an_attempt())
    await platform.eye.execute("update stocks set total = 1000 where sku = $1", IN_STOCK)

    again = await platform.orders.create(USER, items((IN_STOCK, 301)), an_attempt())

    assert again == Answer(first.order_id, failed=True, short=(IN_STOCK,), replayed=True)


async def test_the_first_answer_is_replayed_after_the_order_moved_on(platform: Platform) -> None:
    first = await platform.orders.create(USER, items((IN_STOCK, 1)), an_attempt())
    await platform.orders.cancel(first.order_id)

    again = await platform.orders.create(USER, items((IN_STOCK, 1)), an_attempt())

    assert again == Answer(first.order_id, short=(), replayed=True)


async def test_the_same_key_with_another_body_is_refused_and_changes_nothing(platform: Platform) -> None:
    await platform.orders.create(USER, items((IN_STOCK, 1)), an_attempt())

    with pytest.raises(IdempotencyKeyReused):
        await platform.orders.create(USER, items((IN_STOCK, 2)), an_attempt(body=b"another body"))

    assert await platform.count("orders") == 1
    assert await platform.stock(IN_STOCK) == (300, 1)


async def test_a_key_belongs_to_its_user(platform: Platform) -> None:
    first = await platform.orders.create(USER, items((IN_STOCK, 1)), an_attempt())

    other = await platform.orders.create(UserId(8), items((IN_STOCK, 1)), an_attempt(owner=8))

    assert not other.replayed
    assert other.order_id != first.order_id


async def test_while_the_first_is_running_a_second_is_refused_at_once(platform: Platform) -> None:
    stranger = platform.eye.transaction()
    await stranger.start()
    await platform.eye.execute("select from stocks where sku = $1 for update", IN_STOCK)
    first = asyncio.create_task(platform.orders.create(USER, items((IN_STOCK, 1)), an_attempt()))
    await eventually(lambda: waits_for_a_lock(platform))

    with pytest.raises(RequestInProgress):
        await platform.orders.create(USER, items((IN_STOCK, 1)), an_attempt())

    await stranger.rollback()
    placed = await first
    again = await platform.orders.create(USER, items((IN_STOCK, 1)), an_attempt())
    assert again == Answer(placed.order_id, replayed=True)


async def test_ten_parallel_attempts_make_one_order(platform: Platform) -> None:
    outcomes = await asyncio.gather(
        *(platform.orders.create(USER, items((IN_STOCK, 1)), an_attempt()) for _ in range(10)), return_exceptions=True
    )

    answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Answer)]
    assert len({answer.order_id for answer in answers}) == 1
    assert all(isinstance(refusal, RequestInProgress) for refusal in refused)
    assert await platform.count("orders") == 1
    assert await platform.stock(IN_STOCK) == (300, 1)


async def test_a_create_that_was_rolled_back_leaves_its_key_free(platform: Platform) -> None:
    role = platform.database.app_role
    await platform.eye.execute(f"revoke insert on outbox from {role}")
    with pytest.raises(Exception, match="permission denied"):
        await platform.orders.create(USER, items((IN_STOCK, 1)), an_attempt())
    await platform.eye.execute(f"grant insert on outbox to {role}")

    answer = await platform.orders.create(USER, items((IN_STOCK, 1)), an_attempt())

    assert not answer.replayed
    assert await platform.count("orders") == 1
