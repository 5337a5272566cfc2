"""The partition of a key is the one Kafka's Java client would choose."""

import pytest
from aiokafka.partitioner import murmur2 as reference

from outbox.murmur2 import murmur2, partition_of


@pytest.mark.parametrize(
    ("data", "expected"),
    [  # Kafka's own UtilsTest
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_kafkas(data: bytes, expected: int) -> None:
    assert murmur2(data) == expected % 2**32


def test_decimal_keys_hash_as_the_client_librarys_do() -> None:
    keys = [str(number).encode() for number in (*range(1_000), 2**31, 2**63 - 1)]

    assert [murmur2(key) for key in keys] == [reference(key) for key in keys]


def test_a_key_keeps_its_partition() -> None:
    assert [partition_of(key, 2) for key in ("1", "2", "3", "42")] == [
        partition_of(key, 2) for key in ("1", "2", "3", "42")
    ]
    assert {partition_of(str(number), 6) for number in range(100)} == set(range(6))
