"""The records of one poll of one partition, read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inbox.event import Arrival, Keyless, Record, read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID


@dataclass(slots=True)
class Batch:
    """What one transaction takes in: it moves the position from `from_offset` to `next_offset`."""

    from_offset: int
    """Where reading began: nothing that can be read lies between here and the first record."""
    next_offset: int
    last_event_id: UUID
    timestamp: int
    """Of the first record, milliseconds: so old is what is not applied yet."""
    arrivals: list[Arrival] = field(default_factory=list)
    keyless: list[Keyless] = field(default_factory=list)


def batch_of(records: Sequence[Record], *, from_offset: int, versioned: bool) -> Batch:
    """Read the records, at least one, in log order, which were asked for from this offset on."""
    readings = [read(record, versioned=versioned) for record in records]
    return Batch(
        from_offset=from_offset,
        next_offset=records[-1].offset + 1,
        last_event_id=readings[-1].event_id,
        timestamp=records[0].timestamp,
        arrivals=[reading for reading in readings if isinstance(reading, Arrival)],
        keyless=[reading for reading in readings if isinstance(reading, Keyless)],
    )
