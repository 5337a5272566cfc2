from collections.abc import AsyncIterator

import pytest

from tests.given import Database, SharedKafka
from tests.integration.inbox.world import World, world_of


@pytest.fixture
async def world(database: Database, kafka: SharedKafka) -> AsyncIterator[World]:
    async with world_of(database.dsn, kafka.bootstrap) as made:
        yield made
