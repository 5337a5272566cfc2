from collections.abc import AsyncIterator

import pytest

from tests.given import Database, MakeTopic, SharedKafka, StartKafka
from tests.integration.inbox.world import World, world_of


@pytest.fixture
async def world(database: Database, kafka: SharedKafka, topic: MakeTopic) -> AsyncIterator[World]:
    del topic  # asked for first, so that consumers are gone before their topics are
    async with world_of(database.dsn, kafka.bootstrap) as made:
        yield made


@pytest.fixture
async def database_world(database: Database, own_kafka: StartKafka) -> AsyncIterator[World]:
    """A world whose test brings its own broker."""
    del own_kafka  # asked for first, so that consumers are gone before their broker is
    async with world_of(database.dsn, "") as made:
        yield made
