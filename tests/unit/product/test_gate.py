"""The gate counts the starts of any one second."""

import pytest

from services.product.domain.errors import TooManyCalls
from services.product.service.gate import LoadGate


class HandClock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


async def test_the_window_slides_with_each_start() -> None:
    clock = HandClock()
    gate = LoadGate(calls_per_second_max=2, monotonic=clock)
    entered: list[float] = []

    for moment in (100.0, 100.5, 100.9, 101.0, 101.4, 101.5):
        clock.seconds = moment
        try:
            await gate.enter()
        except TooManyCalls:
            continue
        entered.append(moment)

    assert entered == [100.0, 100.5, 101.0, 101.5]


async def test_without_a_bound_every_call_goes_on() -> None:
    gate = LoadGate()

    for _ in range(1_000):
        await gate.enter()


async def test_the_refusal_names_the_bound() -> None:
    gate = LoadGate(calls_per_second_max=1, monotonic=HandClock())
    await gate.enter()

    with pytest.raises(TooManyCalls, match="more than 1 calls in a second"):
        await gate.enter()
