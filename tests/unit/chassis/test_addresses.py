"""An address is host:port."""

import pytest

from chassis import addresses
from chassis.errors import BadAddress


@pytest.mark.parametrize(
    ("address", "parts"),
    [("127.0.0.1:9101", ("127.0.0.1", 9101)), ("localhost:0", ("localhost", 0)), ("[::1]:80", ("::1", 80))],
)
def test_an_address_has_a_host_and_a_port(address: str, parts: tuple[str, int]) -> None:
    assert addresses.split(address) == parts
    assert addresses.join(*parts) == address


@pytest.mark.parametrize("address", ["", "9101", ":9101", "host:", "host:port", "host:65536", "host:-1"])
def test_anything_else_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(BadAddress, match=r"write host:port, for example 127\.0\.0\.1:9101"):
        addresses.split(address)
