"""Which partition a key belongs to: the hash of Kafka's Java client, so that every producer agrees."""

import struct
from functools import lru_cache

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF
_KEYS_REMEMBERED = 65_536


def murmur2(data: bytes) -> int:
    """The 32-bit hash of the bytes, unsigned."""
    length = len(data)
    words = length // 4
    state = _SEED ^ length
    for word in struct.unpack_from(f"<{words}I", data):
        mixed = word * _MULTIPLIER & _MASK
        mixed = (mixed ^ mixed >> 24) * _MULTIPLIER & _MASK
        state = state * _MULTIPLIER & _MASK ^ mixed
    tail = data[words * 4 :]
    if tail:
        state = (state ^ int.from_bytes(tail, "little")) * _MULTIPLIER & _MASK
    state = (state ^ state >> 13) * _MULTIPLIER & _MASK
    return state ^ state >> 15


@lru_cache(maxsize=_KEYS_REMEMBERED)
def partition_of(key: str, partitions: int) -> int:
    """The partition of a key among so many, as the Java client's default partitioner has it."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
