"""Fill in the template of LOMS's HTTP face: addresses, files and bounds become one Envoy configuration."""

from pathlib import Path
from string import Template

FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "envoy"
TEMPLATE = FOLDER / "loms.yaml"
DESCRIPTOR = FOLDER / "loms.pb"


def render(
    *,
    listen: str,
    upstream: str,
    descriptor: Path = DESCRIPTOR,
    timeout_seconds: float = 10.0,
    body_bytes_max: int = 1 << 20,
) -> str:
    """Return the configuration for HTTP on `listen` in front of gRPC on `upstream`, both as "address:port".

    Beside `descriptor` lie the document of the calls (`loms.openapi.json`) and the page about them (`docs.html`).
    A call that takes longer than `timeout_seconds` is answered 504, a body above `body_bytes_max` 413.
    Raises ValueError for an address without a port.
    """
    listen_host, listen_port = _split(listen)
    upstream_host, upstream_port = _split(upstream)
    return Template(TEMPLATE.read_text()).substitute(
        listen_host=listen_host,
        listen_port=listen_port,
        upstream_host=upstream_host,
        upstream_port=upstream_port,
        descriptor=descriptor,
        openapi=descriptor.with_suffix(".openapi.json"),
        page=descriptor.with_name("docs.html"),
        timeout_seconds=timeout_seconds,
        body_bytes_max=body_bytes_max,
    )


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"{address!r} is not an address with a port, such as 127.0.0.1:8084")
    return host, int(port)
