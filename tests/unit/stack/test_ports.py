"""Ports: free ones are free, taken ones are named."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from stack.errors import PortInUse
from stack.ports import LOOPBACK, free_port, free_ports, is_free, require_free


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server((LOOPBACK, free_port())) as listener:
        yield int(listener.getsockname()[1])


def test_a_free_port_can_be_listened_on() -> None:
    port = free_port()

    with socket.create_server((LOOPBACK, port)):
        assert not is_free(port)


def test_ports_drawn_together_differ() -> None:
    ports = free_ports(50)

    assert len(set(ports)) == 50


def test_programs_side_by_side_never_draw_the_same_port() -> None:
    """300 of 12,000 drawn twice, blindly, meet in all but one of 2,000 tries."""
    draws = "import sys; from stack.ports import free_ports; print(*free_ports(300), flush=True); sys.stdin.read()"
    argv = [sys.executable, "-c", draws]
    with (
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one,  # noqa: S603 - the argv is ours
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other,  # noqa: S603 - the argv is ours
    ):
        drawn = [set(program.stdout.readline().split()) for program in (one, other) if program.stdout]
        for program in (one, other):
            program.communicate()

    assert len(drawn[0]) == len(drawn[1]) == 300
    assert not drawn[0] & drawn[1]


def test_free_ports_lie_below_those_of_outgoing_connections() -> None:
    assert all(20_000 <= port < 32_000 for port in free_ports(50))


def test_a_port_whose_connections_are_still_closing_counts_as_free() -> None:
    with socket.create_server((LOOPBACK, free_port())) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)) as caller:
            answerer, _ = listener.accept()
            answerer.close()  # the listening side closes first, so its end lingers
            assert caller.recv(1) == b""

    assert is_free(port)


def test_a_taken_port_is_refused_with_its_number_its_setting_and_its_holder(taken_port: int) -> None:
    with pytest.raises(PortInUse) as refusal:
        require_free(taken_port, "ONELANE_POSTGRES_PORT")

    assert f"port {taken_port} (ONELANE_POSTGRES_PORT) is in use by " in refusal.value.fact
    assert "(pid " in refusal.value.fact
    assert "choose another port with ONELANE_POSTGRES_PORT" in refusal.value.cure
