"""Any story of calls at the same time, played against the model; and who tests the model: mistakes it must convict."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from services.loms.repository.listing import OrderPages
from services.loms.service.listing import ListingService
from tests.audit_trigger import install_audit_trigger
from tests.expirers import expirer
from tests.loms_fixtures import Platform
from tests.order_judge import broken_promises
from tests.order_machine import STOCKS, UNPAID, OrderMachine, Stage
from tests.planted import order_mistakes
from tests.proofs import times

pytestmark = pytest.mark.timeout(600)
"""Half a minute on a machine left alone; `make prove` plays ten times as much."""

STEPS = times(2_000, proving=20_000)
STORIES = settings(
    max_examples=50,
    stateful_step_count=25,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
UNTIL_CONVICTED = settings(
    STORIES, max_examples=40, phases=[Phase.generate], report_multiple_bugs=False, database=None, print_blob=False
)
MUST_HAVE_HAPPENED = {
    *("Create Placed", "Create Placed short", "Create Placed again"),
    *("Create IdempotencyKeyReused", "Create RequestInProgress"),
    *("Pay Done", "Pay Done again", "Pay IllegalTransition", "Pay OrderNotFound"),
    *("Cancel Done", "Cancel Done again", "Cancel IllegalTransition", "Cancel OrderNotFound"),
    *("Cancel IdempotencyKeyReused", "Cancel RequestInProgress"),
    *("Info Shown", "List Listed", "Available Pieces", "Available SkuNotFound", "Expire Done"),
}


@asynccontextmanager
async def staged(platform: Platform, unpaid: timedelta = UNPAID) -> AsyncIterator[Stage]:
    await install_audit_trigger(platform.database.admin_dsn)
    async with expirer(platform, unpaid) as one, expirer(platform, unpaid) as other:
        listing = ListingService(pages=OrderPages(pool=platform.pool))
        yield Stage(platform, listing, [one, other], asyncio.get_running_loop())


async def play(stage: Stage, how: settings) -> None:
    """Let hypothesis tell stories in a thread, so that this loop is free to serve them."""

    class Machine(OrderMachine):
        def __init__(self) -> None:
            super().__init__(stage)

    await asyncio.to_thread(run_state_machine_as_test, Machine, settings=how)


async def test_any_story_of_calls_at_once_is_explained_and_keeps_every_promise(platform: Platform) -> None:
    async with staged(platform) as stage:
        while stage.steps < STEPS:
            await play(stage, STORIES)

    told = f"{stage.stories} stories, {stage.steps} steps, {stage.kinds.total()} calls, {stage.expired} orders expired"
    print(told, dict(sorted(stage.kinds.items())))
    assert stage.steps >= STEPS >= 2_000
    assert stage.broken == []
    assert stage.expired >= 50
    assert set(stage.kinds) >= MUST_HAVE_HAPPENED


async def test_an_expirer_that_does_not_wait_is_convicted(platform: Platform) -> None:
    async with staged(platform, unpaid=timedelta(0)) as stage:
        with pytest.raises((AssertionError, Flaky)):
            await play(stage, UNTIL_CONVICTED)


async def test_stock_that_is_looked_at_and_then_taken_is_convicted(platform: Platform) -> None:
    await platform.eye.execute(order_mistakes.looks_then_takes().place_order)

    async with staged(platform) as stage:
        with pytest.raises((AssertionError, Flaky)):
            await play(stage, UNTIL_CONVICTED)

    print(f"PB-16 was convicted after {stage.stories} stories, {stage.steps} steps: {stage.broken[0]}")
    assert "I-05" in {found.split()[0] for found in stage.broken}


SABOTAGE = {
    "I-04": "update stocks set reserved = reserved + 1 where sku = 1148162",
    "I-05": "update stocks set reserved = total + 1 where sku = 1148162",
    "I-07": "update orders set version = 9",
    "I-08": "delete from outbox where version = 2",
    "I-26": "update orders set status = 'awaiting payment'; update orders set status = 'cancelled'",
}


@pytest.mark.parametrize("invariant", SABOTAGE)
async def test_the_judge_names_what_is_broken(platform: Platform, invariant: str) -> None:
    async with staged(platform) as stage:
        await stage.reset()
        order_id = await platform.place((1148162, 1))
        await platform.orders.cancel(order_id)
        assert await broken_promises(platform, STOCKS) == []

        await platform.eye.execute(SABOTAGE[invariant])

        assert invariant in {found.split()[0] for found in await broken_promises(platform, STOCKS)}
