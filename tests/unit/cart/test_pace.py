"""A call waits for its slot within its deadline, and one that could not start in its moment takes another."""

import asyncio
from typing import Any

import grpc
import pytest

from chassis.limits import Ask, Held, Rate, Taken
from services.cart.clients.pace import Paced
from services.cart.domain.errors import DeadlinePassed

RATE = Rate(calls=10, seconds=1.0, margin=0.15)


class Slots:
    """A limiter that answers what the test says, on a clock set by hand."""

    def __init__(self, *answers: Taken | Held) -> None:
        self.answers = list(answers)
        self.asked: list[Ask] = []
        self.seconds = 0.0
        self.late_by: tuple[float, ...] = ()

    def now(self) -> float:
        return self.seconds

    async def take(self, *asks: Ask) -> Taken | Held:
        self.asked += asks
        answer = self.answers.pop(0)
        late, *rest = self.late_by or (0.0,)
        self.late_by = tuple(rest)
        if isinstance(answer, Taken):
            self.seconds += answer.wait_seconds + late
        return answer

    async def look(self, ask: Ask) -> float:
        raise NotImplementedError

    async def pause(self, ask: Ask, seconds: float) -> None:
        raise NotImplementedError


class Continuation:
    """Where the call goes on; keeps the deadline it was given."""

    def __init__(self) -> None:
        self.timeouts: list[float | None] = []

    async def __call__(self, details: grpc.aio.ClientCallDetails, _request: Any) -> str:
        self.timeouts.append(details.timeout)
        return "call"


async def called(slots: Slots, *, seconds: float | None) -> list[float | None]:
    paced = Paced(
        limiter=slots,
        key="product",
        rate=RATE,
        neighbour="product",
        wait_seconds_max=10.0,
        call_seconds_max=2.0,
        monotonic=slots.now,
    )
    onward = Continuation()
    details = grpc.aio.ClientCallDetails("/method", seconds, None, None, None)
    await paced.intercept_unary_unary(onward, details, "request")
    return onward.timeouts


async def test_a_slot_is_asked_for_as_far_ahead_as_the_deadline_lies() -> None:
    slots = Slots(Taken(0.0))

    await called(slots, seconds=3.0)

    assert [(ask.key, ask.ahead_seconds) for ask in slots.asked] == [("product", 3.0)]


async def test_what_was_waited_is_taken_off_the_deadline() -> None:
    assert await called(Slots(Taken(0.001)), seconds=1.0) == [pytest.approx(0.999)]


async def test_an_answer_has_its_own_bound() -> None:
    assert await called(Slots(Taken(0.0)), seconds=9.0) == [2.0]
    assert await called(Slots(Taken(0.0)), seconds=None) == [2.0]


async def test_without_a_slot_in_time_nothing_is_called() -> None:
    slots = Slots(Held(5.0, by="product"))

    with pytest.raises(DeadlinePassed):
        await called(slots, seconds=3.0)


async def test_a_moment_that_passed_unused_is_replaced_by_a_new_slot() -> None:
    slots = Slots(Taken(0.0), Taken(0.0), Taken(0.0))
    slots.late_by = (0.3, 0.05, 0.03)

    assert await called(slots, seconds=3.0) == [2.0]
    assert [ask.ahead_seconds for ask in slots.asked] == [3.0, pytest.approx(2.7), pytest.approx(2.65)]


async def test_who_wakes_after_the_deadline_calls_nobody() -> None:
    slots = Slots(Taken(0.0))
    slots.late_by = (1.5,)

    with pytest.raises(DeadlinePassed):
        await called(slots, seconds=1.0)

    assert len(slots.asked) == 1


async def test_a_cancelled_call_takes_nobody_along() -> None:
    slots = Slots(Taken(60.0))
    calling = asyncio.create_task(called(slots, seconds=70.0))
    await asyncio.sleep(0)

    calling.cancel()
    await asyncio.wait([calling])

    assert calling.cancelled()
