"""Valkey of our own: a password, and data that outlives a kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError

from stack.ports import LOOPBACK, free_port
from stack.servers import Valkey


@pytest.fixture
def own_valkey(server_folder: Path) -> Iterator[Valkey]:
    server = Valkey(server_folder / "valkey", free_port(), "s3cret", dies_with_parent=True)
    server.start()
    yield server
    server.kill()


async def test_what_was_written_survives_a_kill(own_valkey: Valkey) -> None:
    async with Redis.from_url(own_valkey.url) as client:
        await client.set("cart:1", "apple")

    own_valkey.kill()
    own_valkey.start()

    async with Redis.from_url(own_valkey.url) as client:
        assert await client.get("cart:1") == b"apple"


async def test_nobody_without_the_password_is_served(own_valkey: Valkey) -> None:
    async with Redis(host=LOOPBACK, port=own_valkey.port, retry=Retry(NoBackoff(), 0)) as client:
        with pytest.raises(AuthenticationError):
            await client.get("cart:1")


def test_stopping_twice_is_stopping_once(own_valkey: Valkey) -> None:
    own_valkey.stop()
    own_valkey.stop()

    assert own_valkey.pid is None
