"""Fourteen writers on forty orders, in every way that has broken outboxes; the judge finds nothing, and a wrong reader.

The seed decides what each writer does; how their transactions meet is the machine's affair.
"""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Mapping, Sequence
from itertools import count

import asyncpg
import pytest

from tests.chaos import plans
from tests.chaos.facts import Attempt, Outcome
from tests.chaos.judgement import Judgement
from tests.chaos.shop import Abandoned, Draft
from tests.given import SharedKafka, SharedPostgres
from tests.outbox_given import connected
from tests.planted.outbox_mistakes import ReadsByMoment, ReadsPastTheLastNumber
from tests.planted.stand import Parts, Stand, stand

pytestmark = pytest.mark.faults

SEED = 20261124
WRITERS, KEYS, ATTEMPTS = 14, 40, 50
IN_TWO_PHASES = 0.05

WAYS: Mapping[plans.Plan, int] = {
    plans.touches: 30,
    plans.touches_hot: 15,
    plans.touches_several: 10,
    plans.touches_twice: 8,
    plans.inside_a_savepoint: 10,
    plans.takes_a_savepoint_back: 10,
    plans.begins_early: 6,
    plans.commits_slowly: 3,
    plans.changes_its_mind: 8,
}


async def _played(servers: tuple[SharedPostgres, SharedKafka], parts: Parts) -> Judgement:
    """All writers side by side, with a relay at work; judged when the cursor claims to be past every row."""
    postgres, kafka = servers
    print(f"seed {SEED}")
    async with stand(postgres.admin_dsn, kafka.bootstrap, partitions=4, cluster=None) as at:
        at.parts = parts
        async with at.relay():
            keys = await at.place(KEYS)
            await asyncio.gather(*[_Writer(at, number, keys).work() for number in range(WRITERS)])
            await at.relay_at_rest()
        return await at.judged(calm=True)


class _Writer:
    """One connection, one transaction after the other."""

    def __init__(self, at: Stand, number: int, keys: Sequence[str]) -> None:
        self._at = at
        self._chance = random.Random(f"{SEED}/{number}")
        self._keys = plans.Keys(list(keys))
        self._names = (f"writer-{number}.{attempt}" for attempt in count())

    async def work(self) -> None:
        async with connected(self._at.shop_dsn) as connection:
            for _ in range(ATTEMPTS):
                attempt = Attempt(next(self._names))
                self._at.history.append(attempt)
                attempt.outcome = await self._outcome(connection, attempt)

    async def _outcome(self, connection: "asyncpg.Connection[asyncpg.Record]", attempt: Attempt) -> Outcome:
        """Draw a way, and one of the two ways to commit; who meets a deadlock or thinks better of it rolls back."""
        [plan] = self._chance.choices(list(WAYS), list(WAYS.values()))
        end = self._in_two_phases if self._chance.random() < IN_TWO_PHASES else _at_once
        draft = Draft(connection, attempt.op, topic=self._at.topic)
        with contextlib.suppress(Abandoned, asyncpg.DeadlockDetectedError):
            async with connection.transaction():
                await plan(draft, self._keys, self._chance)
                attempt.changes = draft.changes
                await end(connection)
            return Outcome.OK
        return Outcome.REFUSED

    async def _in_two_phases(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Prepared here, committed from elsewhere; the COMMIT that follows finds nothing left to do."""
        name = uuid.uuid4().hex
        await connection.execute(f"prepare transaction '{name}'")
        async with connected(self._at.shop_dsn) as other:
            await other.execute("select pg_sleep($1)", self._chance.uniform(0.0, 0.2))
            await other.execute(f"commit prepared '{name}'")


async def _at_once(_: "asyncpg.Connection[asyncpg.Record]") -> None:
    """The COMMIT that follows."""


@pytest.fixture
def servers(postgres: SharedPostgres, kafka: SharedKafka) -> tuple[SharedPostgres, SharedKafka]:
    return postgres, kafka


async def test_nothing_is_lost_doubled_or_inverted(servers: tuple[SharedPostgres, SharedKafka]) -> None:
    verdict = await _played(servers, Parts())

    assert verdict.clean, verdict.findings
    assert verdict.orders == KEYS
    assert verdict.changes > WRITERS * ATTEMPTS, "most attempts committed, some changed several orders"


async def test_a_reader_that_goes_by_the_last_number_is_caught_losing(
    servers: tuple[SharedPostgres, SharedKafka],
) -> None:
    verdict = await _played(servers, Parts(sessions=ReadsPastTheLastNumber.open))

    assert verdict.lost > 0


async def test_a_reader_that_goes_by_the_moment_is_caught_inverting(
    servers: tuple[SharedPostgres, SharedKafka],
) -> None:
    verdict = await _played(servers, Parts(sessions=ReadsByMoment.open))

    assert verdict.inverted > 0
