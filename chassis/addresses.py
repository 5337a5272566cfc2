"""`host:port`, the one spelling of an address in settings, logs and the state file."""

from chassis.errors import BadAddress

_PORT_MAX = 65_535


def split(address: str) -> tuple[str, int]:
    """Return host and port of `host:port`; port 0 means any free one. Raises `BadAddress`."""
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdecimal() and int(port) <= _PORT_MAX):
        raise BadAddress(address)
    return host.strip("[]"), int(port)


def join(host: str, port: int) -> str:
    """Return `host:port`, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
