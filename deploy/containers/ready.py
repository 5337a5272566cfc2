"""Whether what runs in this container is ready: `ready.py http 9101` or `ready.py pooler 6432`; exit code 0 or 1.

An image has neither curl nor a client of PostgreSQL; this needs nothing but the interpreter (`python -IS`).
"""

import http.client
import socket
import struct
import sys

HOST = "127.0.0.1"
SECONDS_MAX = 3.0
SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)


def http_ready(port: int) -> bool:
    """`/readyz` is answered with 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS_MAX)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    finally:
        connection.close()


def pooler_ready(port: int) -> bool:
    """A question about encryption is answered: the pooler listens, whether its database is there or not."""
    with socket.create_connection((HOST, port), timeout=SECONDS_MAX) as connection:
        connection.sendall(SSL_REQUEST)
        return connection.recv(1) in {b"N", b"S"}


CHECKS = {"http": http_ready, "pooler": pooler_ready}


def main(kind: str, port: str) -> int:
    """Ask once."""
    try:
        return 0 if CHECKS[kind](int(port)) else 1
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{kind} {port}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
