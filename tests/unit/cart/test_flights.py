"""One call for a key, however many ask; nobody's leaving harms the others."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from services.cart.clients.flights import Flights


class Away(Exception):
    pass


class Calls:
    """Calls that end when the test says so."""

    def __init__(self) -> None:
        self.made = 0
        self.cancelled = 0
        self.may_end = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> str:
        self.made += 1
        number = self.made
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return f"answer {number}"


async def test_fifty_who_ask_at_once_share_one_call() -> None:
    flights, calls = Flights[str, str](), Calls()
    asking = [asyncio.create_task(flights.join("sku", calls)) for _ in range(50)]
    await turn()

    calls.may_end.set()

    assert await asyncio.gather(*asking) == ["answer 1"] * 50
    assert calls.made == 1


async def test_each_key_has_its_own_call() -> None:
    flights, calls = Flights[str, str](), Calls()
    calls.may_end.set()

    await asyncio.gather(*(flights.join(key, calls) for key in ("one", "other", "one")))

    assert calls.made == 2


async def test_who_began_the_call_may_leave_without_ending_it() -> None:
    flights, calls = Flights[str, str](), Calls()
    leader = asyncio.create_task(flights.join("sku", calls))
    await turn()
    followers = [asyncio.create_task(flights.join("sku", calls)) for _ in range(3)]
    await turn()

    leader.cancel()
    await asyncio.wait([leader])
    calls.may_end.set()

    assert leader.cancelled()
    assert await asyncio.gather(*followers) == ["answer 1"] * 3
    assert (calls.made, calls.cancelled) == (1, 0)


async def test_the_last_one_who_leaves_ends_the_call() -> None:
    flights, calls = Flights[str, str](), Calls()
    asking = [asyncio.create_task(flights.join("sku", calls)) for _ in range(3)]
    await turn()

    for each in asking:
        each.cancel()
    await asyncio.wait(asking)

    assert calls.cancelled == 1
    assert not flights.is_up("sku")


async def test_who_comes_while_an_abandoned_call_still_ends_shares_the_next_one() -> None:
    flights, calls = Flights[str, str](), Calls()
    stubborn, may_go = asyncio.Event(), asyncio.Event()

    async def ends_slowly() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            stubborn.set()
            await may_go.wait()
        return "never"

    last = asyncio.create_task(flights.join("sku", ends_slowly))
    await turn()
    last.cancel()
    await stubborn.wait()
    first = asyncio.create_task(flights.join("sku", calls))
    await turn()
    may_go.set()
    await asyncio.wait([last])
    second = asyncio.create_task(flights.join("sku", calls))
    await turn()
    calls.may_end.set()

    assert [await first, await second] == ["answer 1"] * 2
    assert calls.made == 1


async def test_an_error_is_everybodys_and_is_forgotten() -> None:
    flights, calls = Flights[str, str](), Calls()
    calls.error = Away()
    asking = [asyncio.create_task(flights.join("sku", calls)) for _ in range(3)]
    await turn()
    calls.may_end.set()
    await asyncio.wait(asking)

    assert [type(each.exception()) for each in asking] == [Away] * 3
    calls.error = None
    assert await flights.join("sku", calls) == "answer 2"


@pytest.mark.parametrize("is_stubborn", [False, True])
async def test_an_error_nobody_waits_for_any_more_is_reported_nowhere(*, is_stubborn: bool) -> None:
    flights, reported = Flights[str, str](), list[str]()
    asyncio.get_running_loop().set_exception_handler(lambda _, said: reported.append(said["message"]))
    may_fail = asyncio.Event()

    async def fails() -> str:
        try:
            await may_fail.wait()
        except asyncio.CancelledError:
            if not is_stubborn:
                raise
        raise Away

    last = asyncio.create_task(flights.join("sku", fails))
    await turn()
    if not is_stubborn:
        may_fail.set()
        await asyncio.sleep(0)  # the call has failed, and its passenger does not know yet
    last.cancel()
    await asyncio.wait([last])
    del last  # it remembers the call
    await turn()
    gc.collect()

    assert reported == []


async def turn() -> None:
    """Let every task that can run do so once; a few rounds, for those that wake others."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
async def nothing_is_left_running() -> AsyncIterator[None]:
    """A flight is a task of its own; none may outlive the test."""
    yield
    await turn()
    assert asyncio.all_tasks() == {asyncio.current_task()}
