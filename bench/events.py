"""The event every contestant carries: numbered, of one size, one order after the other.

The number is all a measurement needs: it says which order the event belongs to, in which order the events of an order
were committed, and, written down with a moment at the writer, at the relay and at the consumer, how long each took.
"""

from array import array
from pathlib import Path

ORDERS = 4_800
"""How many orders take turns; a multiple of the writers, so that one order always has the same writer."""

FIRST_ORDER_ID = 100_000
FIRST_NUMBER = 10**12
PAYLOAD_BYTES = 300
HEADERS = (
    '{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "ce_userid": "42", "ce_itemcount": "3"}'
)
EVENT_TYPE = "order.awaiting_payment"

_START = b'{"n": '
_TEXT = (
    '{{"n": {number}, "order_id": {order_id}, "status": "awaiting payment", '
    '"moment": "2026-11-21T08:00:00.123456Z", "pad": "{pad}"}}'
)
_PAD = "x" * (PAYLOAD_BYTES - len(_TEXT.format(number=FIRST_NUMBER, order_id=FIRST_ORDER_ID, pad="")))


def order_of(number: int) -> int:
    """The order an event belongs to."""
    return FIRST_ORDER_ID + number % ORDERS


def payload(number: int) -> bytes:
    """The body of an event: JSON of PAYLOAD_BYTES bytes."""
    return _TEXT.format(number=number, order_id=order_of(number), pad=_PAD).encode()


def payload_format() -> str:
    """The same body for PostgreSQL's format(number, order id)."""
    return _TEXT.format(number="%s", order_id="%s", pad=_PAD)


def number_of(body: bytes) -> int:
    """The number of an event, from its body."""
    return int(body[len(_START) : body.index(b",")])


class Sightings:
    """Numbers with the moments at which they were seen, in nanoseconds of the clock all processes share."""

    def __init__(self, seen: "array[int] | None" = None) -> None:
        self.seen = seen if seen is not None else array("q")

    def __len__(self) -> int:
        return len(self.seen) // 2

    def add(self, number: int, at: int) -> None:
        """Write one down."""
        self.seen.append(number)
        self.seen.append(at)

    def pairs(self) -> list[tuple[int, int]]:
        """All of them, in the order in which they were written down."""
        return list(zip(self.seen[::2], self.seen[1::2], strict=True))

    def save(self, path: str) -> None:
        """Hand them to the parent."""
        Path(path).write_bytes(self.seen.tobytes())

    @classmethod
    def load(cls, path: Path) -> "Sightings":
        """What a child handed over."""
        seen = array("q")
        seen.frombytes(path.read_bytes())
        return cls(seen)
