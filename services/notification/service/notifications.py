"""Planning: one ledger row per status change, in the transaction that applies the event."""

from collections.abc import Sequence

from services.notification.domain.change import StatusChange
from services.notification.domain.notification import State
from services.notification.service.ports import Planning


class Notifications:
    """Use cases about what is to be told."""

    async def plan(self, changes: Sequence[StatusChange], planning: Planning) -> dict[State, int]:
        """Plan all changes in a few statements; return how many rows began in which state.

        A change whose owner is not linked is final at once: `no_subscriber`. A change planned before is left as it is.
        """
        if not changes:
            return {}
        return await planning.plan(changes)
