"""What clients do in a transaction: the ways of writing that have broken outboxes before."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.shop import Abandoned, Draft

HOT = 4
_REMEMBERED = 400


@dataclass(slots=True)
class Keys:
    """The orders a client knows: the first few are everybody's, and hot."""

    known: list[str] = field(default_factory=list)

    def learn(self, keys: list[str]) -> None:
        """Remember these as well; of many, the latest."""
        self.known = list(dict.fromkeys([*self.known, *keys]))
        del self.known[HOT : max(HOT, len(self.known) - _REMEMBERED)]

    def some(self, chance: random.Random, number: int) -> list[str]:
        """So many of them, or fewer."""
        return chance.sample(self.known, min(number, len(self.known)))

    def hot(self, chance: random.Random) -> list[str]:
        """One that others want as well."""
        return chance.sample(self.known[:HOT], min(1, len(self.known)))


Plan = Callable[[Draft, Keys, random.Random], Awaitable[Any]]


async def places(draft: Draft, _: Keys, chance: random.Random) -> None:
    """New orders, one to three at once."""
    for _number in range(chance.randint(1, 3)):
        await draft.place()
    await draft.announce()


async def touches(draft: Draft, keys: Keys, chance: random.Random) -> None:
    """Some order changes."""
    await draft.touch(*keys.some(chance, 1))
    await draft.announce()


async def touches_hot(draft: Draft, keys: Keys, chance: random.Random) -> None:
    """An order changes that others wait for."""
    await draft.touch(*keys.hot(chance))
    await draft.announce()


async def touches_several(draft: Draft, keys: Keys, chance: random.Random) -> None:
    """Several orders change, and are announced in one call."""
    await draft.touch(*keys.some(chance, 3))
    await draft.announce()


async def touches_twice(draft: Draft, keys: Keys, chance: random.Random) -> None:
    """Two versions of one order, announced in one call, the later first."""
    [key, *_] = keys.hot(chance) or [await draft.place()]
    await draft.touch(key)
    await draft.touch(key)
    await draft.announce()


async def inside_a_savepoint(draft: Draft, keys: Keys, chance: random.Random) -> None:
    """The row's system xmin is a subtransaction's."""
    async with draft.connection.transaction():
        await touches(draft, keys, chance)


async def takes_a_savepoint_back(draft: Draft, keys: Keys, chance: random.Random) -> None:
    """What was announced in the savepoint must never be heard of."""
    before, savepoint = len(draft.changes), draft.connection.transaction()
    await savepoint.start()
    await touches_hot(draft, keys, chance)
    await savepoint.rollback()
    draft.back_to(before)
    await touches(draft, keys, chance)


async def commits_slowly(draft: Draft, keys: Keys, chance: random.Random) -> None:
    """The number is drawn long before the commit."""
    await touches(draft, keys, chance)
    await draft.connection.execute("select pg_sleep($1)", chance.uniform(0.2, 1.2))


async def begins_early(draft: Draft, keys: Keys, chance: random.Random) -> None:
    """The transaction's id is older than those of versions before its own."""
    await draft.connection.execute("select pg_current_xact_id()")
    await draft.connection.execute("select pg_sleep($1)", chance.uniform(0.02, 0.3))
    await touches_hot(draft, keys, chance)


async def changes_its_mind(draft: Draft, keys: Keys, chance: random.Random) -> None:
    """All of it is rolled back."""
    await touches_several(draft, keys, chance)
    raise Abandoned


WEIGHTS: Mapping[Plan, int] = {
    places: 40,
    touches: 14,
    touches_hot: 10,
    touches_several: 6,
    touches_twice: 5,
    inside_a_savepoint: 5,
    takes_a_savepoint_back: 5,
    commits_slowly: 4,
    begins_early: 4,
    changes_its_mind: 7,
}


def drawn(chance: random.Random) -> Plan:
    """One plan, by weight."""
    [plan] = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
    return plan
