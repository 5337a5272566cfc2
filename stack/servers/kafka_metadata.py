"""One question to a broker: who is in the cluster? An answer is the only proof that a broker is up.

Spoken by hand (protocol: Metadata, version 1): it is asked while nobody answers yet, where client libraries complain.
"""

import io
import socket
import struct

from stack.ports import LOOPBACK

_METADATA, _VERSION, _CORRELATION, _NO_TOPICS = 3, 1, 1, 0
_REQUEST = struct.pack(">hhihi", _METADATA, _VERSION, _CORRELATION, -1, _NO_TOPICS)


def brokers_known_to(port: int, *, seconds_max: float = 1.0) -> frozenset[int]:
    """The ids of the brokers that the one on `port` knows as alive; empty if it does not answer."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=seconds_max) as connection:
            connection.sendall(struct.pack(">i", len(_REQUEST)) + _REQUEST)
            with connection.makefile("rb") as stream:
                (size,) = struct.unpack(">i", stream.read(4))
                return _broker_ids(io.BytesIO(stream.read(size)))
    except (OSError, struct.error):
        return frozenset()


def _broker_ids(answer: io.BytesIO) -> frozenset[int]:
    _correlation, count = struct.unpack(">ii", answer.read(8))
    return frozenset(_broker_id(answer) for _ in range(count))


def _broker_id(answer: io.BytesIO) -> int:
    (node_id,) = struct.unpack(">i", answer.read(4))
    _text(answer)  # host
    answer.read(4)  # port
    _text(answer)  # rack
    return int(node_id)


def _text(answer: io.BytesIO) -> bytes:
    (length,) = struct.unpack(">h", answer.read(2))
    return answer.read(max(length, 0))
