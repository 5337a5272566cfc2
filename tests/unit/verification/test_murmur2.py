"""The checker's own murmur2 gives what Kafka's Java client gives."""

import pytest

from verification.murmur2 import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "expected"),
    # the vectors of org.apache.kafka.common.utils.UtilsTest.testMurmur2
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_that_of_the_java_client(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF


def test_a_partition_is_never_negative() -> None:
    assert partition_of(b"21", 10) == ((-973932308) & 0x7FFFFFFF) % 10
