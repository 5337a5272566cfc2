"""Every write path of LOMS when the connection breaks at its commit: the service finds out what has happened.

The full-sized proof is `make prove`; these are its rounds, few of them.
"""

import pytest

from services.loms.domain.ids import OrderId, Sku, UserId
from services.loms.service.attempts import Attempt
from services.loms.service.ports import OutcomeUnknown
from services.loms.service.repeat import ATTEMPTS_MAX
from tests.commit_cut import Where
from tests.commit_cuts.rounds import CREATE, PATHS, Path, orders_through_a_cut, play, wrongs
from tests.loms_fixtures import Platform, items

USER = UserId(7)
SCARCE = Sku(1148162)  # 300 pieces, none reserved


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
async def test_a_lost_commit_makes_neither_two_orders_nor_none(platform: Platform, path: Path, where: Where) -> None:
    tally = await play(platform, path, where, rounds=5)

    assert await wrongs(platform, tally, calls=5) == []
    assert tally.cuts >= 5


async def test_a_create_that_failed_and_whose_answer_was_lost_is_still_told_as_failed(platform: Platform) -> None:
    async with orders_through_a_cut(platform) as (orders, cut):
        cut.arm("after", CREATE.commit)
        answer = await orders.create(USER, items((SCARCE, 301)))

    assert (cut.cuts, answer.failed) == (1, True)
    assert await platform.published(answer.order_id) == ["new", "failed"]
    assert await platform.count("orders") == 1


@pytest.mark.parametrize(("where", "committed"), [("before", 0), ("after", 1)])
async def test_what_stays_unknown_is_said_and_found_by_its_key(
    platform: Platform, where: Where, committed: int
) -> None:
    attempt = Attempt("user", USER, "once", b"the body")
    async with orders_through_a_cut(platform) as (orders, cut):
        cut.arm(where, CREATE.commit, times=ATTEMPTS_MAX)
        outcome = await _unknown(orders.create(USER, items((SCARCE, 2)), attempt))
        assert await platform.count("orders") == committed

        answer = await orders.create(USER, items((SCARCE, 2)), attempt)

    assert outcome is (where == "before")
    assert await platform.count("orders") == 1
    assert await platform.published(answer.order_id) == ["new", "awaiting payment"]


async def test_an_id_that_belongs_to_somebody_elses_order_is_never_taken_for_ours(platform: Platform) -> None:
    theirs = await platform.place((SCARCE, 1), user_id=8)
    await platform.eye.execute("select setval('orders_order_id_seq', $1, false)", theirs)

    with pytest.raises(Exception, match=str(theirs)):
        await platform.orders.create(USER, items((SCARCE, 1)))

    assert await platform.count("orders") == 1
    assert (await platform.orders.info(OrderId(theirs))).user_id == 8


async def _unknown(call: object) -> bool:
    try:
        await call  # type: ignore[misc]  # any awaitable
    except OutcomeUnknown:
        return True
    return False
