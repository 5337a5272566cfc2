"""What every witness says about a platform that keeps its promises, made up as fast as it can be told.

Orders go through three changes each; their records lie in the partitions of their keys, in the order they were made.
The last change of the last order was lost before Kafka: a measured run that does not find it proves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verification.case import Circumstances
from verification.facts import Accepted, Audited, Call, Committed, Current, Ending, Noted, Published, State, Status
from verification.murmur2 import partition_of
from verification.verdicts.repeats import REACH_DEFAULT
from verification.witnesses.ledger import Decisions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verification.facts import Fact
    from verification.incarnations import Incarnations

PARTITIONS: Final = 16
LIFE: Final = (Status.NEW, Status.AWAITING_PAYMENT, Status.PAID)
BEGAN: Final = 1_795_519_179.0
CHANGES_A_SECOND: Final = 1_000
_OWNER: Final = b"7300/1", b"1"


def told(changes: int, senders: Incarnations) -> Iterator[Fact]:
    """Give the facts of so many changes (a multiple of three)."""
    next_offset = [0] * PARTITIONS
    orders = changes // len(LIFE)
    for order_id in range(1, orders + 1):
        partition = partition_of(str(order_id).encode(), PARTITIONS)
        for version, status in enumerate(LIFE, start=1):
            seq = (order_id - 1) * len(LIFE) + version
            event_id, at = seq.to_bytes(16, "big"), BEGAN + seq / CHANGES_A_SECOND
            yield Committed(order_id, version, seq, event_id, event_id, 700 + seq, at, status, inside=True)
            yield Audited(order_id, version, version - 1, 700 + seq, at, status, inside=True)
            if seq < changes:
                sender = senders.seen(*_OWNER, at)
                offset = next_offset[partition]
                next_offset[partition] += 1
                yield Published(order_id, version, partition, offset, event_id, event_id, at, at, sender)
            alert = Ending.DONE if status is Status.PAID else Ending.NONE
            yield Noted(order_id, version, seq, event_id, State.DELIVERED, Ending.DONE, alert)
            yield Accepted(order_id, version, 2 * seq, Call.EDIT_CARD if version > 1 else Call.SEND_CARD)
            if alert:
                yield Accepted(order_id, version, 2 * seq + 1, Call.SEND_ALERT)
        yield Current(order_id, len(LIFE), LIFE[-1], began=True)


def beside(senders: Incarnations) -> Circumstances:
    """Give what a judge knows beside them."""
    everywhere = dict.fromkeys(range(PARTITIONS), 2**62)
    return Circumstances(
        partitions=PARTITIONS,
        positions=everywhere,
        committed=everywhere,
        decisions=Decisions(),
        senders=senders,
        repeats_reach=REACH_DEFAULT,
        operator_moved=None,
        audited_since=BEGAN,
        judged_since=0,
        telegram_asked=True,
    )
