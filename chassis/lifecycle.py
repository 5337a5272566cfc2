"""One lifecycle for everything that runs: start in order, stop in reverse, never hang, say how it ended.

A process is a `Service`: a list of components. A loop is a component too, a `Task`; the first one that fails ends the
process. Exit codes: 0 stopped as asked · 1 an error a restart may help · 78 only an operator can help (the supervisor
does not restart).
"""

import asyncio
import faulthandler
import inspect
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol, runtime_checkable

import uvloop

from chassis.logs import get_logger
from chassis.memory import spare_the_long_lived

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_NEEDS_OPERATOR = 78

_LAST_CHANCE_SECONDS = 0.5
"""What a component still gets when those stopped before it have used up the whole bound."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = get_logger()


class Component(Protocol):
    """A part of a process. Both methods may be called twice; stopping what never started does nothing."""

    async def start(self) -> None:
        """Return when the part can be used; raise when it cannot."""
        ...

    async def stop(self) -> None:
        """Finish the work at hand and give everything back."""
        ...


@runtime_checkable
class Supervised(Protocol):
    """A component that can end by itself."""

    async def ended(self) -> None:
        """Wait until it ends; return if that was asked for, raise what ended it otherwise."""
        ...


class NeedsOperator(Exception):
    """No restart helps: the text says what an operator has to do."""


class EndedUnasked(Exception):
    """A loop returned although nobody asked it to stop."""

    def __init__(self, name: str) -> None:
        super().__init__(f"task {name} ended without being asked to stop")
        self.name = name


class StopHung(Exception):
    """A component did not stop within its bound and was abandoned."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(f"{name} did not stop within {seconds:.1f} s and was abandoned")
        self.name = name
        self.seconds = seconds


class Task:
    """A loop that runs as long as the process does.

    `run` is a coroutine function without parameters. `stop`, sync or async, tells it to return; without one it is
    cancelled. If it has not returned `stop_seconds_max` later it is cancelled. What it raises ends the process with
    exit 1, or with exit 78 when the exception is `NeedsOperator` or one of `operator_errors` (a library's own name for
    the same thing).
    """

    def __init__(
        self,
        name: str,
        run: Callable[[], Awaitable[None]],
        *,
        stop: Callable[[], Any] | None = None,
        stop_seconds_max: float = 10.0,
        operator_errors: tuple[type[Exception], ...] = (),
    ) -> None:
        self.name = name
        self._run = run
        self._tell = stop
        self._stop_seconds_max = stop_seconds_max
        self._operator_errors = operator_errors
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._failure_told = False

    async def start(self) -> None:
        """Let the loop run."""
        if self._task is None:
            self._stopping = self._failure_told = False
            self._task = asyncio.create_task(self._supervised(), name=self.name)

    async def ended(self) -> None:
        """Wait for the end of the loop; raise what ended it."""
        if self._task is not None:
            await asyncio.wait([self._task])
            self._raise_failure(self._task)

    async def stop(self) -> None:
        """Ask the loop to return and wait for it; raise what it failed with, unless `ended` has raised it before."""
        task, self._task = self._task, None
        if task is None:
            return
        if not task.done():
            await self._end(task)
        if not self._failure_told:
            self._raise_failure(task)

    async def _supervised(self) -> None:
        try:
            await self._run()
        except self._operator_errors as error:
            raise NeedsOperator(str(error)) from error
        if not self._stopping:
            raise EndedUnasked(self.name)

    async def _end(self, task: asyncio.Task[None]) -> None:
        self._stopping = True
        try:
            async with asyncio.timeout(self._stop_seconds_max):
                await self._ask(task)
                await asyncio.wait([task])
        except TimeoutError:
            log.warning("task.cancelled", task=self.name, after_seconds=self._stop_seconds_max)
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _ask(self, task: asyncio.Task[None]) -> None:
        if self._tell is None:
            task.cancel()
            return
        told = self._tell()
        if inspect.isawaitable(told):
            await told

    def _raise_failure(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure_told = True
            raise error


class Service:
    """The components of one process, in the order they start.

    `serve` promises: a start that fails half-way stops what was started, in reverse; a failing loop stops everything;
    the stop takes no longer than `stop_seconds_max` plus half a second for each component behind a hung one. A process
    that has not ended `blocked_seconds_max` after that is ended by `run` from outside its event loop.
    """

    def __init__(
        self, name: str, *components: Component, stop_seconds_max: float = 20.0, blocked_seconds_max: float = 5.0
    ) -> None:
        self.name = name
        self.stop_seconds_max = stop_seconds_max
        self.blocked_seconds_max = blocked_seconds_max
        self._components = components
        self._started: list[Component] = []

    async def start(self) -> None:
        """Start every component; if one cannot, stop it and the earlier ones and raise its error."""
        try:
            await self._start_each()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> list[Exception]:
        """Stop every started component in reverse, come what may; return what went wrong."""
        deadline = asyncio.get_running_loop().time() + self.stop_seconds_max
        errors: list[Exception] = []
        while self._started:
            component = self._started.pop()
            remaining = deadline - asyncio.get_running_loop().time()
            try:
                await _stop_within(component, max(remaining, _LAST_CHANCE_SECONDS))
            except Exception as error:
                # a supervised boundary: one failing stop must not keep the others from stopping
                log.exception("service.stop_failed", component=_name_of(component))
                errors.append(error)
        return errors

    async def ended(self) -> None:
        """Wait for the first component that ends by itself; raise what ended it. Waits for ever if none can."""
        waits = [asyncio.create_task(part.ended()) for part in self._started if isinstance(part, Supervised)]
        if not waits:
            await asyncio.Event().wait()
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            failures = [error for wait in done if isinstance(error := wait.exception(), Exception)]
            if failures:
                raise failures[0] if len(failures) == 1 else ExceptionGroup("several components ended", failures)
        finally:
            for wait in waits:
                wait.cancel()

    async def serve(self, stop_requested: asyncio.Event) -> int:
        """Run until asked to stop or until a component fails; return the exit code."""
        failure = await self._live_until(stop_requested)
        errors = await self.stop()
        return _exit_code([*([failure] if failure else []), *errors])

    async def _live_until(self, stop_requested: asyncio.Event) -> Exception | None:
        life = asyncio.create_task(self._live())
        asked = asyncio.create_task(stop_requested.wait())
        await asyncio.wait([life, asked], return_when=asyncio.FIRST_COMPLETED)
        log.info("service.stopping", service_name=self.name, asked=asked.done())
        asked.cancel()
        life.cancel()
        await asyncio.wait([life])
        return None if life.cancelled() else life.result()

    async def _live(self) -> Exception | None:
        try:
            await self._start_each()
            log.info("service.started", service_name=self.name, components=len(self._started))
            await self.ended()
        except Exception as error:
            # the supervised boundary of the process: logged here, and the exit code says it
            event = "service.needs_operator" if _needs_operator(error) else "service.failed"
            log.exception(event)
            return error
        return None

    async def _start_each(self) -> None:
        for component in self._components[len(self._started) :]:
            self._started.append(component)
            await component.start()


def run(service: Service) -> int:
    """Run the service on uvloop until SIGTERM, SIGINT or a failure; return the process's exit code.

    A process that cannot finish its stop, even with a blocked event loop, writes its stacks to standard error and ends
    with 1.
    """
    spare_the_long_lived()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_serve_until_signalled(service))
    faulthandler.cancel_dump_traceback_later()
    log.info("service.stopped", service_name=service.name, exit_code=code)
    return code


async def _serve_until_signalled(service: Service) -> int:
    requested = asyncio.Event()
    loop = asyncio.get_running_loop()
    bound = service.stop_seconds_max + service.blocked_seconds_max

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        if not requested.is_set():
            faulthandler.dump_traceback_later(bound, exit=True)
            loop.call_soon_threadsafe(requested.set)

    with _handling_signals(request_stop):
        code = await service.serve(requested)
    faulthandler.dump_traceback_later(service.blocked_seconds_max, exit=True)
    return code


@contextmanager
def _handling_signals(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Use Python-level handlers: they run even while a coroutine blocks the loop."""
    before = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


async def _stop_within(component: Component, seconds: float) -> None:
    task = asyncio.ensure_future(component.stop())
    done, _ = await asyncio.wait([task], timeout=seconds)
    if not done:
        task.cancel()
        raise StopHung(_name_of(component), seconds)
    task.result()


def _name_of(component: Component) -> str:
    return getattr(component, "name", type(component).__qualname__)


def _exit_code(errors: list[Exception]) -> int:
    if any(_needs_operator(error) for error in errors):
        return EXIT_NEEDS_OPERATOR
    return EXIT_ERROR if errors else EXIT_OK


def _needs_operator(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_needs_operator(inner) for inner in error.exceptions)
    return isinstance(error, NeedsOperator)
