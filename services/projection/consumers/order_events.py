"""A record of `loms.order-events` becomes a change of a view, or a dead letter: never nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from chassis.logs import get_logger
from events import headers
from events.errors import UndecodableEvent
from events.order import v1
from services.projection.domain.view import StatusChange
from services.projection.metrics import EVENTS
from services.projection.service.projection import Projection

_NUMBER_MAX = 2**63 - 1
_DIGITS_MAX = 19

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What Kafka handed out; a withdrawn event has no value."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]


class DeadLetters(Protocol):
    """Takes a record aside; returns when it is durable there."""

    async def send(self, record: Record, reason: str) -> None:
        """Write the record with its origin."""
        ...


class OrderEvents:
    """Handles one record. Whatever goes wrong with it is told and set aside; it is never dropped, and ends nothing."""

    def __init__(self, *, projection: Projection, dead_letters: DeadLetters) -> None:
        self._projection = projection
        self._dead_letters = dead_letters

    async def __call__(self, record: Record) -> None:
        """Apply it, or set it aside; raise only when it can be neither."""
        if not record.value and record.headers.get(headers.TYPE) == headers.VOID.encode():
            EVENTS.labels("void").inc()
            return
        try:
            self._projection.apply(change_of(record))
        except Exception as error:  # noqa: BLE001 - Faust would drop the record of a handler that raises
            named = (
                error.field if isinstance(error, UndecodableEvent) else ""
            )  # never the value: a body is nobody's to log
            log.warning("projection.dead_letter", error=type(error).__name__, field=named, offset=record.offset)
            await self._dead_letters.send(record, f"{type(error).__name__}: {error}")
            EVENTS.labels("dead").inc()
        else:
            EVENTS.labels("applied").inc()


def change_of(record: Record) -> StatusChange:
    """Read a record; raise UndecodableEvent."""
    said = v1.decode(record.value or b"")
    if record.key != str(said.order_id).encode():
        raise UndecodableEvent("key", record.key, "the order's id")
    return StatusChange(
        order_id=said.order_id,
        version=_number(record, headers.SEQUENCE),
        status=said.status,
        moment=said.moment,
        user_id=_number(record, headers.USER_ID),
    )


def _number(record: Record, name: str) -> int:
    text = record.headers.get(name, b"").decode("ascii", "replace")
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX and 0 < int(text) <= _NUMBER_MAX):
        raise UndecodableEvent(name, text, f"a number from 1 to {_NUMBER_MAX}")
    return int(text)
