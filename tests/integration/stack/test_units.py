"""Units over real, tiny processes."""

import sys
import threading
from pathlib import Path

import pytest

from stack.errors import ServerFailed
from stack.fingerprint import Marker
from stack.ports import LOOPBACK, free_port
from stack.servers.child import ENVIRONMENT
from stack.state import Kind
from stack.units import Command, Facts, Interrupted, NeedsOperator, ServiceUnit, StepUnit
from tests.waiting import eventually

WELL = "self.send_response(200 if self.path == '/readyz' else 404); self.end_headers()"
SERVE = f"""
import http.server, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self): {WELL}
http.server.HTTPServer(("{LOOPBACK}", int(sys.argv[1])), Health).serve_forever()
"""
NEVER = threading.Event()


def a_command(folder: Path, code: str, *arguments: str) -> Command:
    argv = (sys.executable, "-c", code, *arguments)
    return Command(argv=argv, environment=ENVIRONMENT, folder=folder, log=folder / "it.log")


def a_service(folder: Path, code: str) -> ServiceUnit:
    port = free_port()
    facts = Facts(name="it", kind=Kind.SERVICE, health=f"{LOOPBACK}:{port}")
    return ServiceUnit(facts, a_command(folder, code, str(port)))


def a_step(folder: Path, code: str, *, fingerprint: str = "one") -> StepUnit:
    facts = Facts(name="step", kind=Kind.STEP)
    return StepUnit(facts, a_command(folder, code), marker=Marker(folder / "prepared"), fingerprint=fingerprint)


async def test_a_service_is_ready_when_it_says_so_and_tells_how_it_ended(tmp_path: Path) -> None:
    unit = a_service(tmp_path, SERVE)

    unit.start(NEVER)
    assert (unit.ended(), len(unit.pids)) == ("", 1)
    unit.stop()

    assert unit.pids == ()
    assert unit.ended() == "was ended by SIGTERM"


def test_a_service_that_ends_before_it_is_ready_tells_the_end_of_its_log(tmp_path: Path) -> None:
    unit = a_service(tmp_path, "import sys; sys.exit('no database')")

    with pytest.raises(ServerFailed, match="ended with code 1 before it was ready\nno database"):
        unit.start(NEVER)


def test_a_service_that_needs_an_operator_says_why(tmp_path: Path) -> None:
    unit = a_service(tmp_path, "print('the cursor needs a reset'); raise SystemExit(78)")

    with pytest.raises(NeedsOperator, match="the cursor needs a reset"):
        unit.start(NEVER)


async def test_a_start_is_given_up_when_the_stack_stops_and_leaves_nothing(tmp_path: Path) -> None:
    unit = a_service(tmp_path, "import signal; signal.pause()")
    stopping = threading.Event()
    gave_up = threading.Event()

    def start() -> None:
        with pytest.raises(Interrupted):
            unit.start(stopping)
        gave_up.set()

    thread = threading.Thread(target=start)
    thread.start()
    await eventually(lambda: unit.pids)
    stopping.set()
    thread.join(10)

    assert gave_up.is_set()
    assert unit.pids == ()


def test_a_step_is_done_once_until_its_sources_change(tmp_path: Path) -> None:
    count = f"open({str(tmp_path / 'done')!r}, 'a').write('x')"

    a_step(tmp_path, count).start(NEVER)
    a_step(tmp_path, count).start(NEVER)
    a_step(tmp_path, count, fingerprint="two").start(NEVER)

    assert (tmp_path / "done").read_text(encoding="utf-8") == "xx"


def test_a_step_that_fails_is_not_done(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="step ended with code 3 before it was done"):
        a_step(tmp_path, "raise SystemExit(3)").start(NEVER)

    assert not (tmp_path / "prepared").exists()
