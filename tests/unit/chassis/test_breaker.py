"""The breaker opens on a share of many calls, lets one try, and closes on its success."""

import asyncio

from chassis.breaker import Breaker, CircuitOpen


class Away(Exception):
    pass


class Refused(Exception):
    pass


class Neighbour:
    """Answers, refuses or is away, as it is told, on a clock set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0
        self.error: Exception | None = None
        self.breaker = Breaker(
            is_failure=lambda error: isinstance(error, Away),
            calls_min=4,
            failure_share=0.5,
            window_seconds=10,
            open_seconds=2,
            monotonic=lambda: self.seconds,
        )

    async def call(self) -> str:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return "answer"

    async def outcomes(self, count: int) -> list[str]:
        seen = []
        for _ in range(count):
            try:
                seen.append(await self.breaker.call(self.call))
            except (Away, Refused, CircuitOpen) as error:
                seen.append(type(error).__name__)
        return seen


async def test_it_opens_when_most_of_enough_calls_failed() -> None:
    neighbour = Neighbour()
    neighbour.error = Away()

    assert await neighbour.outcomes(6) == ["Away"] * 4 + ["CircuitOpen"] * 2
    assert neighbour.calls == 4


async def test_few_failures_among_few_calls_open_nothing() -> None:
    neighbour = Neighbour()
    neighbour.error = Away()

    assert await neighbour.outcomes(3) == ["Away"] * 3
    neighbour.seconds = 11
    assert await neighbour.outcomes(3) == ["Away"] * 3


async def test_refusals_are_answers() -> None:
    neighbour = Neighbour()
    neighbour.error = Refused()

    assert await neighbour.outcomes(20) == ["Refused"] * 20


async def test_a_success_after_the_pause_closes_it() -> None:
    neighbour = Neighbour()
    neighbour.error = Away()
    await neighbour.outcomes(4)

    neighbour.seconds, neighbour.error = 2.0, None

    assert await neighbour.outcomes(2) == ["answer"] * 2
    assert not neighbour.breaker.is_open


async def test_a_failure_after_the_pause_opens_it_again() -> None:
    neighbour = Neighbour()
    neighbour.error = Away()
    await neighbour.outcomes(4)

    neighbour.seconds = 2.0

    assert await neighbour.outcomes(3) == ["Away", "CircuitOpen", "CircuitOpen"]


async def test_calls_that_began_before_it_opened_say_nothing_afterwards() -> None:
    neighbour = Neighbour()
    neighbour.error = Away()
    may_fail = asyncio.Event()

    async def slow() -> str:
        await may_fail.wait()
        raise Away

    before = [asyncio.create_task(neighbour.breaker.call(slow)) for _ in range(10)]
    await asyncio.sleep(0)
    await neighbour.outcomes(4)
    neighbour.seconds = 1.9
    may_fail.set()
    await asyncio.wait(before)
    neighbour.seconds, neighbour.error = 2.0, None

    assert [type(each.exception()) for each in before] == [Away] * 10
    assert await neighbour.outcomes(2) == ["answer"] * 2


async def test_a_closed_breaker_begins_with_a_clean_slate() -> None:
    neighbour = Neighbour()
    neighbour.error = Away()
    await neighbour.outcomes(4)
    neighbour.seconds, neighbour.error = 2.0, Refused()
    await neighbour.outcomes(1)
    neighbour.error = Away()

    assert await neighbour.outcomes(3) == ["Away"] * 3


async def test_what_left_the_window_counts_no_more() -> None:
    neighbour = Neighbour()
    neighbour.error = Away()
    await neighbour.outcomes(2)
    neighbour.seconds, neighbour.error = 11, None
    await neighbour.outcomes(3)
    neighbour.error = Away()

    assert await neighbour.outcomes(3) == ["Away"] * 3
    assert neighbour.breaker.is_open


async def test_who_comes_while_one_call_tries_waits_and_goes_on_after_its_success() -> None:
    neighbour, may_answer = await one_that_may_be_tried(), asyncio.Event()
    trying = asyncio.create_task(neighbour.breaker.call(may_answer.wait))
    await turn()
    waiting = [asyncio.create_task(neighbour.breaker.call(neighbour.call)) for _ in range(10)]
    await turn()
    made_meanwhile = neighbour.calls

    may_answer.set()

    assert await asyncio.gather(*waiting) == ["answer"] * 10
    assert await trying
    assert made_meanwhile == 0


async def test_who_waits_for_a_call_that_fails_is_refused() -> None:
    neighbour, may_fail = await one_that_may_be_tried(), asyncio.Event()

    async def fails() -> None:
        await may_fail.wait()
        raise Away

    trying = asyncio.create_task(neighbour.breaker.call(fails))
    await turn()
    waiting = [asyncio.create_task(neighbour.breaker.call(neighbour.call)) for _ in range(10)]
    await turn()
    may_fail.set()
    await asyncio.wait([trying, *waiting])

    assert isinstance(trying.exception(), Away)
    assert [type(each.exception()) for each in waiting] == [CircuitOpen] * 10
    assert neighbour.calls == 0


async def test_a_cancelled_try_teaches_nothing_and_one_of_those_who_wait_is_the_next() -> None:
    neighbour, may_answer = await one_that_may_be_tried(), asyncio.Event()
    trying = asyncio.create_task(neighbour.breaker.call(asyncio.Event().wait))
    await turn()
    next_one = asyncio.create_task(neighbour.breaker.call(may_answer.wait))
    last = asyncio.create_task(neighbour.breaker.call(neighbour.call))
    await turn()

    trying.cancel()
    await asyncio.wait([trying])
    await turn()
    made_meanwhile = neighbour.calls
    may_answer.set()

    assert (await next_one, await last) == (True, "answer")
    assert made_meanwhile == 0


async def test_who_waits_may_leave() -> None:
    neighbour, may_answer = await one_that_may_be_tried(), asyncio.Event()
    trying = asyncio.create_task(neighbour.breaker.call(may_answer.wait))
    await turn()
    leaving = asyncio.create_task(neighbour.breaker.call(neighbour.call))
    await turn()

    leaving.cancel()
    await asyncio.wait([leaving])
    may_answer.set()

    assert leaving.cancelled()
    assert await trying
    assert not neighbour.breaker.is_open


async def one_that_may_be_tried() -> Neighbour:
    """A neighbour that was left alone for long enough and works again."""
    neighbour = Neighbour()
    neighbour.error = Away()
    await neighbour.outcomes(4)
    neighbour.seconds, neighbour.error, neighbour.calls = 2.0, None, 0
    return neighbour


async def turn() -> None:
    """Let every task that can run do so; a few rounds, for those that wake others."""
    for _ in range(5):
        await asyncio.sleep(0)
