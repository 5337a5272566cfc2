"""The newest changes of the window, which may still be on their way when the reading begins.

They are waited for, within a bound, so that a check beside running traffic does not call lost what is only young.
"""

from __future__ import annotations

from typing import Final

TAIL_EVENTS_MAX: Final = 100_000


class Tail:
    """Event ids written within the last seconds before the reading began."""

    def __init__(self, *, since: float) -> None:
        self._since = since
        self._events: set[bytes] = set()
        self._unpublished: set[bytes] = set()

    def add(self, event_id: bytes, written_at: float) -> None:
        """Remember an event if it is young; beyond a hundred thousand the rest is not waited for."""
        if written_at >= self._since and len(self._events) < TAIL_EVENTS_MAX:
            self._events.add(event_id)
            self._unpublished.add(event_id)

    def published(self, event_id: bytes) -> None:
        """Note that Kafka has it."""
        self._unpublished.discard(event_id)

    @property
    def events(self) -> list[bytes]:
        """Give all of them."""
        return list(self._events)

    @property
    def all_published(self) -> bool:
        """Whether Kafka was seen to have every one."""
        return not self._unpublished
