"""Event ids: UUID version 7 (RFC 9562), made here and never by the server, so that any Postgres will do."""

import os
import time
from collections.abc import Callable
from uuid import UUID

_NANOSECONDS_PER_MILLISECOND = 1_000_000
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


def uuid7(*, nanoseconds: Callable[[], int] = time.time_ns, entropy: Callable[[int], bytes] = os.urandom) -> UUID:
    """A new id that sorts by its moment: 48 bits of milliseconds, 12 of their fraction, 62 of chance."""
    milliseconds, rest = divmod(nanoseconds(), _NANOSECONDS_PER_MILLISECOND)
    fraction = (rest << 12) // _NANOSECONDS_PER_MILLISECOND
    chance = int.from_bytes(entropy(8), "big") & ((1 << 62) - 1)
    return UUID(int=(milliseconds & ((1 << 48) - 1)) << 80 | _VERSION | fraction << 64 | _VARIANT | chance)
