"""The cursor: who may publish, and how far that has come.

Invariants: every update names the epoch and the owner it acts for; one that finds no row raises Fenced and the tenure
is over. `seen` moves only to a snapshot of this session, and only when everything up to it is acknowledged. While a
backlog is walked, `seen` stays, `target` is the frozen end, and `walked_seq` the acknowledged part of the way.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from outbox import errors
from outbox.session import Session
from outbox.snapshot import Snapshot

_log = logging.getLogger(__name__)

LEASE = timedelta(seconds=3)
"""How long a silent owner is believed in. The same for every relay of a cursor: a constant, not a setting."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far acknowledgement has come: seen, or seen plus a part of the way to the target."""

    seen: Snapshot
    target: Snapshot | None = None
    walked_seq: int = 0


class Cursor:
    """One cursor, owned: made by `take`, valid until Fenced."""

    def __init__(self, *, session: Session, name: str, owner: UUID, epoch: int, position: Position) -> None:
        self._session = session
        self._name = name
        self._owner = owner
        self.epoch = epoch
        self.position = position
        self.paused = False
        self.history = ""
        self.flush_advised = False

    @classmethod
    async def take(cls, session: Session, name: str, owner: UUID) -> Self | None:
        """Become the owner; None while somebody else is.

        Raises:
            errors.CursorMissing: there is no such cursor.
            errors.CursorNeedsReset: its position belongs to another history; marked so that nobody goes on from it.
        """
        taken = await session.fetchrow("take_lease", name, owner, LEASE)
        if taken is None:
            await _refuse_unusable(session, name)
            return None
        cursor = cls(session=session, name=name, owner=owner, epoch=taken["epoch"], position=_position(taken))
        cursor.paused = taken["state"] == "paused"
        await cursor._guard(taken)
        return cursor

    async def _guard(self, taken: Any) -> None:
        now = await self._session.fetchrow("read_history")
        wrong = _wrong_history(taken, now, self.position)
        if wrong:
            await self._update("mark_needs_reset")
            raise errors.CursorNeedsReset(self._name, wrong)
        if taken["timeline"] != now["timeline"]:
            _log.warning("relay.timeline_changed", extra={"was": taken["timeline"], "now": now["timeline"]})
            await self._update("note_timeline", now["timeline"])
        self.history = f"{now['system_id']}/{now['timeline']}"
        self.flush_advised = now["has_synchronous_standby"]

    async def advance(self, position: Position) -> None:
        """Store what is acknowledged, and keep the lease; learn whether an operator paused the relay."""
        if position.target is None:
            await self._keep("advance", position.seen.text)
        else:
            await self._keep("store_walk", position.target.text, position.walked_seq)

    async def release(self) -> None:
        """Give the lease back at once. The cursor must not be used afterwards."""
        await self._update("release_lease")

    async def _keep(self, name: str, *args: Any) -> None:
        row = await self._session.fetchrow(name, self._name, self.epoch, self._owner, LEASE, *args)
        if row is None:
            raise errors.Fenced(self._name, self.epoch)
        self.paused = row["state"] == "paused"

    async def _update(self, name: str, *args: Any) -> None:
        await self._session.execute(name, self._name, self.epoch, self._owner, *args)


def _position(stored: Any) -> Position:
    seen = Snapshot.parse(stored["seen"])
    if stored["target"] is None:
        return Position(seen)
    return Position(seen, Snapshot.parse(stored["target"]), stored["walked_seq"] or 0)


async def _refuse_unusable(session: Session, name: str) -> None:
    stored = await session.fetchrow("read_cursor", name)
    if stored is None:
        raise errors.CursorMissing(name)
    if stored["state"] == "needs_reset":
        raise errors.CursorNeedsReset(name, "it is marked so since a relay refused it")


def _wrong_history(taken: Any, now: Any, position: Position) -> str | None:
    if taken["system_id"] != now["system_id"]:
        return f"it belongs to database system {taken['system_id']}, this is {now['system_id']}"
    furthest = position.target or position.seen
    if int(furthest.xmax) > int(now["xmax"]):
        return f"its snapshot ends at {furthest.xmax}, this server has only come to {now['xmax']}"
    return None
