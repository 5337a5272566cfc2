"""The keeper against units whose fate the test decides."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from stack.errors import StackError
from stack.keeper import Keeper, Shared
from stack.state import Kind, Status
from stack.units import Facts, Interrupted, NeedsOperator
from tests.waiting import eventually


class ScriptedUnit:
    """A unit that ends when told, and fails to start as often as scripted."""

    def __init__(self, name: str, journal: list[str], *, kind: Kind = Kind.SERVICE, failures: int = 0) -> None:
        self.facts = Facts(name=name, kind=kind)
        self.pids = (1,)
        self.reason = ""
        self.needs_operator = False
        self.surprise: Exception | None = None
        self.starts = 0
        self._failures = failures
        self._journal = journal

    def start(self, stopping: threading.Event) -> None:
        if stopping.is_set():
            raise Interrupted
        self.starts += 1
        self.reason = ""
        self._journal.append(f"start {self.facts.name}")
        if self.surprise is not None:
            raise self.surprise
        if self.needs_operator:
            raise NeedsOperator("the cursor needs a reset")
        if self.starts <= self._failures:
            raise StackError("it fell over", cure="none")

    def ended(self) -> str:
        return self.reason

    def stop(self) -> None:
        self._journal.append(f"stop {self.facts.name}")


class Reports:
    def __init__(self) -> None:
        self.facts: dict[str, dict[str, Any]] = {}
        self.failures: list[str] = []

    def process(self, name: str, **facts: Any) -> None:
        self.facts.setdefault(name, {}).update(facts)

    def settled(self) -> None:
        return

    def failed(self, name: str, error: StackError) -> None:
        self.failures.append(f"{name}: {error.fact}")

    def status(self, name: str) -> Any:
        return self.facts.get(name, {}).get("status")


class Bench:
    """Runs keepers on threads of its own, and ends them."""

    def __init__(self) -> None:
        self.journal: list[str] = []
        self.reports = Reports()
        self.stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def keeper(self, unit: ScriptedUnit) -> Keeper:
        keeper = Keeper(unit, Shared(stopping=self.stopping, report=self.reports, began=0.0))
        keeper.bind(needs=[], dependents=[])
        return keeper

    def run(self, *keepers: Keeper) -> None:
        self._threads = [keeper.thread() for keeper in keepers]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self.stopping.set()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.end()


async def test_a_unit_starts_after_its_needs_and_stops_before_them(bench: Bench) -> None:
    server = bench.keeper(ScriptedUnit("server", bench.journal, kind=Kind.SERVER))
    service = bench.keeper(ScriptedUnit("service", bench.journal))
    server.bind(needs=[], dependents=[service])
    service.bind(needs=[server], dependents=[])

    bench.run(service, server)
    await eventually(lambda: bench.reports.status("service") is Status.READY)
    bench.end()

    assert bench.journal == ["start server", "start service", "stop service", "stop server"]


async def test_a_unit_that_ended_is_started_again(bench: Bench) -> None:
    unit = ScriptedUnit("relay", bench.journal)
    bench.run(bench.keeper(unit))
    await eventually(lambda: bench.reports.status("relay") is Status.READY)

    unit.reason = "was ended by SIGKILL"

    await eventually(lambda: unit.starts == 2 and bench.reports.status("relay") is Status.READY)
    assert bench.reports.facts["relay"]["restarts"] == 1


async def test_a_unit_that_needs_an_operator_is_left_alone_and_holds_nobody_up(bench: Bench) -> None:
    unit = ScriptedUnit("relay", bench.journal)
    unit.needs_operator = True
    keeper = bench.keeper(unit)

    bench.run(keeper)

    await eventually(keeper.settled.is_set)
    assert bench.reports.status("relay") is Status.NEEDS_OPERATOR
    assert bench.reports.facts["relay"]["note"] == "the cursor needs a reset"
    assert unit.starts == 1


async def test_a_service_may_stumble_in_its_first_start(bench: Bench) -> None:
    unit = ScriptedUnit("api", bench.journal, failures=2)

    bench.run(bench.keeper(unit))

    await eventually(lambda: bench.reports.status("api") is Status.READY)
    assert bench.reports.failures == []


async def test_a_server_may_not(bench: Bench) -> None:
    unit = ScriptedUnit("kafka", bench.journal, kind=Kind.SERVER, failures=1)

    bench.run(bench.keeper(unit))

    await eventually(lambda: bench.reports.failures == ["kafka: it fell over"])
    assert unit.starts == 1


async def test_a_service_that_keeps_falling_fails_the_start(bench: Bench) -> None:
    unit = ScriptedUnit("api", bench.journal, failures=100)

    bench.run(bench.keeper(unit))

    await eventually(lambda: bench.reports.failures == ["api: it fell over"])
    assert unit.starts == 3


async def test_whatever_a_unit_meets_fails_the_start_instead_of_pretending(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = ScriptedUnit("kafka", bench.journal, kind=Kind.SERVER)
    unit.surprise = OSError("no more processes")

    bench.run(bench.keeper(unit))

    await eventually(lambda: bench.reports.failures == ["kafka: OSError('no more processes')"])
    assert "no more processes" in capsys.readouterr().err
