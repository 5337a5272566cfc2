"""Telling again what may not have been told: an operator's decision, shown before it is carried out.

Nothing is ever resent by itself. An operator who resends accepts that somebody may be told twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

SEND = "send"
"""How a proposal begins that has something to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One uncertain row and what a resend does with it: `send …`, or `leave: <why>`."""

    order_id: int
    version: int
    status: str
    card_step: str
    alert_step: str
    finished_at: datetime
    resend: str

    @property
    def sends(self) -> bool:
        """Whether a resend would tell anything."""
        return self.resend.startswith(SEND)


class ResendStore(Protocol):
    """The uncertain rows of the ledger."""

    async def proposals(self, order_id: int | None, rows_max: int) -> Sequence[Proposal]:
        """Return uncertain rows, the oldest first, of one order if one is given."""
        ...

    async def resend(self, proposals: Sequence[Proposal], reason: str) -> int:
        """Plan these again where that is still right; note the reason; return how many were."""
        ...


class Resending:
    """Use case of `onelane notify resend`."""

    def __init__(self, *, store: ResendStore) -> None:
        self._store = store

    async def plan(self, *, order_id: int | None, rows_max: int) -> Sequence[Proposal]:
        """Say what a resend would do. Changes nothing."""
        return await self._store.proposals(order_id, rows_max)

    async def execute(self, proposals: Sequence[Proposal], *, reason: str) -> int:
        """Do what was planned; return how many rows are told again. What changed since the plan is left alone."""
        return await self._store.resend([each for each in proposals if each.sends], reason)
