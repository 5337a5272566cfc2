"""What the relay needs of a broker: a port with two outcomes.

`publish` returns when every row is acknowledged, or raises. After it raised nothing more of that call is sent; what
was on the wire may still land, only as a repeat. Implementations: `outbox.kafka` and the fake in `outbox.testing`,
held to one suite.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from outbox.rows import Row


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a tenure writes on every record.

    Attributes:
        history: system id and timeline of the database, `outbox_history`.
        epoch: the tenure's epoch, `outbox_epoch`.
        voids: events to send without a body, as `outbox.void`.
    """

    history: str
    epoch: int
    voids: AbstractSet[UUID]


class Publisher(Protocol):
    """Hands rows to a broker, in order per key."""

    async def open(self) -> None:
        """Be ready to publish; cheap when it is.

        Raises:
            PublishFailed: the broker is away; try again later.
            TopicUnusable: a topic is missing, too small or forbidden.
        """

    async def publish(self, rows: Sequence[Row], stamp: Stamp) -> None:
        """Send the rows in the order given, per partition, and return when all are acknowledged.

        Raises:
            PublishFailed: passes by itself; read the rows anew and try again.
            RecordRefused: the broker will never take the row named.
            TopicUnusable: a topic is missing, too small or forbidden.
        """

    async def discard(self) -> None:
        """Drop everything not acknowledged, at once. The next `open` starts afresh."""
