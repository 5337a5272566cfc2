"""A relay behind a connection pooler would hear no wake and keep no setting: it needs an operator, at once."""

import pytest

from outbox import TopicRule, errors
from outbox.testing import FakeBroker
from tests.given import Database
from tests.outbox_given import a_relay
from tests.poolers import pooler_before

ORDERS = TopicRule("orders", versioned=True)


async def test_a_pooler_that_refuses_the_settings_of_a_session_is_named(outbox_database: Database) -> None:
    with pooler_before(outbox_database.dsn) as pooler:
        relay = a_relay(pooler.through(outbox_database.dsn), FakeBroker(), ORDERS)

        with pytest.raises(errors.PooledConnection, match="give the relay the server's own address"):
            await relay.run()


async def test_a_pooler_that_swallows_them_is_known_by_the_backend_that_answers(outbox_database: Database) -> None:
    swallowed = {"ignore_startup_parameters": "plan_cache_mode, enable_seqscan, jit, synchronous_commit"}
    with pooler_before(outbox_database.dsn, extra_settings=swallowed) as pooler:
        for _ in range(2):  # the second finds what the first left on the pooler's connection
            relay = a_relay(pooler.through(outbox_database.dsn), FakeBroker(), ORDERS)

            with pytest.raises(errors.PooledConnection, match="answered by"):
                await relay.run()
