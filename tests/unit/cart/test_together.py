"""Calls that run side by side end with their request, and the first error is the one it ends with."""

import asyncio
import time

import pytest

from services.cart.service.together import together


class Refused(Exception):
    pass


async def test_results_stand_in_the_order_of_the_calls() -> None:
    first_may_end = asyncio.Event()

    async def first() -> int:
        await first_may_end.wait()
        return 1

    async def second() -> int:
        first_may_end.set()
        return 2

    assert await together([first(), second()]) == [1, 2]


async def test_the_first_error_is_raised_itself_and_ends_the_others() -> None:
    ended: list[str] = []
    begun = asyncio.Event()

    async def sibling() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("sibling")

    async def refused() -> None:
        await begun.wait()
        raise Refused("no")

    with pytest.raises(Refused, match="no"):
        await together([sibling(), refused(), sibling()])

    assert ended == ["sibling"] * 2


async def test_two_errors_of_one_moment_are_one_answer() -> None:
    async def refused(text: str) -> None:
        raise Refused(text)

    with pytest.raises(Refused, match="one"):
        await together([refused("one"), refused("two")])


async def test_a_late_request_ends_all_its_calls() -> None:
    ended: list[int] = []

    async def call(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await together([call(1), call(2)])

    assert sorted(ended) == [1, 2]
    assert time.monotonic() - began < 5
