"""A process starts in order, stops in reverse, never hangs, and its exit code says how it ended."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chassis.lifecycle import EndedUnasked, NeedsOperator, Service, StopHung, Task


class Part:
    """A component that writes down what happens to it."""

    def __init__(
        self,
        name: str,
        diary: list[str],
        *,
        start: Callable[[], Awaitable[None]] | None = None,
        stop: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self._diary = diary
        self._start = start
        self._stop = stop

    async def start(self) -> None:
        self._diary.append(f"start {self.name}")
        if self._start:
            await self._start()

    async def stop(self) -> None:
        self._diary.append(f"stop {self.name}")
        if self._stop:
            await self._stop()


class NoLuck(Exception):
    """A library's own word for: no restart helps."""


async def fails() -> None:
    raise RuntimeError("broken")


async def never_ends() -> None:
    await asyncio.Event().wait()


async def ends_at_once() -> None:
    return


async def is_out_of_luck() -> None:
    raise NoLuck("reset the cursor")


async def test_components_start_in_order_and_stop_in_reverse() -> None:
    diary: list[str] = []
    service = Service("s", Part("a", diary), Part("b", diary))

    await service.start()
    await service.stop()

    assert diary == ["start a", "start b", "stop b", "stop a"]


async def test_starting_and_stopping_twice_does_each_once() -> None:
    diary: list[str] = []
    service = Service("s", Part("a", diary))

    for step in (service.start, service.start, service.stop, service.stop):
        await step()

    assert diary == ["start a", "stop a"]


async def test_a_start_that_fails_stops_what_was_started() -> None:
    diary: list[str] = []
    service = Service("s", Part("a", diary), Part("b", diary, start=fails), Part("c", diary))

    with pytest.raises(RuntimeError, match="broken"):
        await service.start()

    assert diary == ["start a", "start b", "stop b", "stop a"]


async def test_one_failing_stop_does_not_keep_the_others_from_stopping() -> None:
    diary: list[str] = []
    service = Service("s", Part("a", diary), Part("b", diary, stop=fails))
    await service.start()

    errors = await service.stop()

    assert [str(error) for error in errors] == ["broken"]
    assert diary[-2:] == ["stop b", "stop a"]


async def test_a_hanging_stop_is_abandoned_and_named() -> None:
    diary: list[str] = []
    service = Service("s", Part("a", diary), Part("b", diary, stop=never_ends), stop_seconds_max=0.05)
    await service.start()

    [error] = await service.stop()

    assert isinstance(error, StopHung)
    assert error.name == "b"
    assert diary[-1] == "stop a"


async def test_a_service_asked_to_stop_ends_with_0() -> None:
    stop, diary = asyncio.Event(), list[str]()
    service = Service("s", Part("a", diary), Task("loop", never_ends))
    serving = asyncio.create_task(service.serve(stop))

    stop.set()

    assert await serving == 0


async def test_a_service_asked_to_stop_while_it_starts_gives_up_the_start() -> None:
    stop, starting, diary = asyncio.Event(), asyncio.Event(), list[str]()

    async def connect() -> None:
        starting.set()
        await never_ends()

    service = Service("s", Part("a", diary), Part("slow", diary, start=connect), Part("c", diary))
    serving = asyncio.create_task(service.serve(stop))
    await starting.wait()

    stop.set()

    assert await serving == 0
    assert diary == ["start a", "start slow", "stop slow", "stop a"]


@pytest.mark.parametrize(
    ("loop", "code"),
    [(fails, 1), (ends_at_once, 1), (is_out_of_luck, 78)],
    ids=["an error", "returned unasked", "needs an operator"],
)
async def test_a_loop_that_ends_by_itself_stops_the_process(loop: Callable[[], Awaitable[None]], code: int) -> None:
    diary: list[str] = []
    service = Service("s", Part("a", diary), Task("loop", loop, operator_errors=(NoLuck,)), Part("c", diary))

    assert await service.serve(asyncio.Event()) == code

    assert diary == ["start a", "start c", "stop c", "stop a"]


async def test_a_start_that_needs_an_operator_ends_with_78() -> None:
    async def refuse() -> None:
        raise NeedsOperator("run: reset")

    assert await Service("s", Part("a", [], start=refuse)).serve(asyncio.Event()) == 78


async def test_a_start_that_fails_ends_with_1() -> None:
    assert await Service("s", Part("a", [], start=fails)).serve(asyncio.Event()) == 1


async def test_a_stop_that_fails_ends_with_1() -> None:
    stop = asyncio.Event()
    stop.set()

    assert await Service("s", Part("a", [], stop=fails)).serve(stop) == 1


async def test_an_operators_cure_inside_a_group_of_errors_is_found() -> None:
    async def fail_together() -> None:
        raise ExceptionGroup("both", [RuntimeError("x"), NeedsOperator("reset")])

    assert await Service("s", Task("loop", fail_together)).serve(asyncio.Event()) == 78


async def test_of_two_loops_that_fail_at_once_none_is_forgotten() -> None:
    service = Service("s", Task("one", fails), Task("two", is_out_of_luck, operator_errors=(NoLuck,)))

    assert await service.serve(asyncio.Event()) == 78


async def test_a_task_is_told_to_stop_and_finishes_its_work() -> None:
    told, finished = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await told.wait()
        finished.set()

    task = Task("loop", work, stop=told.set)
    await task.start()
    await task.stop()

    assert finished.is_set()


async def test_a_task_may_be_told_to_stop_by_a_coroutine() -> None:
    told = asyncio.Event()

    async def tell() -> None:
        told.set()

    async def work() -> None:
        await told.wait()

    task = Task("loop", work, stop=tell)
    await task.start()
    await task.stop()

    assert told.is_set()


async def test_a_task_that_does_not_listen_is_cancelled_after_its_bound() -> None:
    cancelled = asyncio.Event()

    async def deaf() -> None:
        try:
            await never_ends()
        finally:
            cancelled.set()

    task = Task("loop", deaf, stop=lambda: None, stop_seconds_max=0.01)
    await task.start()
    await task.stop()

    assert cancelled.is_set()


async def test_a_task_whose_stop_itself_hangs_is_cancelled_after_its_bound() -> None:
    task = Task("loop", never_ends, stop=never_ends, stop_seconds_max=0.01)
    await task.start()

    await task.stop()


async def test_a_task_whose_stop_itself_fails_does_not_run_on() -> None:
    running, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        running.set()
        try:
            await never_ends()
        finally:
            cancelled.set()

    task = Task("loop", work, stop=fails)
    await task.start()
    await running.wait()

    with pytest.raises(RuntimeError, match="broken"):
        await task.stop()

    assert cancelled.is_set()


async def test_a_task_that_fails_while_it_stops_says_so() -> None:
    told = asyncio.Event()

    async def work() -> None:
        await told.wait()
        raise RuntimeError("could not flush")

    task = Task("loop", work, stop=told.set)
    await task.start()

    with pytest.raises(RuntimeError, match="could not flush"):
        await task.stop()


async def test_stopping_a_task_that_never_started_or_twice_does_nothing() -> None:
    task = Task("loop", never_ends)

    await task.stop()
    await task.start()
    await task.start()
    await task.stop()
    await task.stop()


async def test_a_task_can_run_again_after_a_stop() -> None:
    runs: list[int] = []
    running = asyncio.Event()

    async def work() -> None:
        runs.append(len(runs))
        running.set()
        await never_ends()

    task = Task("loop", work)
    for _ in range(2):
        running.clear()
        await task.start()
        await running.wait()
        await task.stop()

    assert runs == [0, 1]


async def test_a_loop_that_returns_unasked_is_named() -> None:
    task = Task("relay", ends_at_once)
    await task.start()

    with pytest.raises(EndedUnasked, match="task relay ended without being asked to stop"):
        await task.ended()
