"""Whether each partition's records took effect in the order of the log.

The consumer moves its position in the transaction of the effects, so a record that took effect after a later record of
its partition had been passed over at that moment, whatever the position says today (I-16 for the past). The places are
kept in buckets of neighbouring offsets and read back from the end of the log to its start: flat in memory.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from verification.buckets import Buckets
from verification.report import Finding, Kind

if TYPE_CHECKING:
    from verification.report import Findings

_LAYOUT: Final = struct.Struct("<qqqq")
_OFFSETS_A_BUCKET: Final = 65_536


class Applied(NamedTuple):
    """Where a record lies, and the place of its effect among all effects."""

    offset: int
    seq: int
    order_id: int
    version: int


_END: Final = Applied(offset=2**63 - 1, seq=2**63 - 1, order_id=0, version=0)


class LogOrder:
    """Collects the effects of all partitions; `close` removes what lies on disk."""

    def __init__(self) -> None:
        self._buckets: Buckets[tuple[int, int]] = Buckets()

    def add(self, partition: int, applied: Applied) -> None:
        """Note one effect of a record."""
        self._buckets.add((partition, applied.offset // _OFFSETS_A_BUCKET), _LAYOUT.pack(*applied))

    def judge(self, findings: Findings) -> None:
        """Decide I-16 for the past: each record that took effect after a later one of its partition."""
        partition, first = -1, _END
        for place in sorted(self._buckets.places(), reverse=True):
            if place[0] != partition:
                partition, first = place[0], _END
            packed = _LAYOUT.iter_unpack(self._buckets.take(place))
            for applied in sorted(map(Applied._make, packed), reverse=True):
                if applied.seq > first.seq:
                    findings.add(_finding(partition, first, applied))
                else:
                    first = applied

    def close(self) -> None:
        """Remove the files."""
        self._buckets.close()


def _finding(partition: int, later: Applied, applied: Applied) -> Finding:
    text = (
        f"its record, partition {partition} offset {applied.offset}, took effect after the one at {later.offset}: "
        "the consumer had passed it over"
    )
    return Finding(
        kind=Kind.PASSED_OVER, invariant="I-16", order_id=applied.order_id, version=applied.version, text=text
    )
