"""A program's user of Valkey does what the program does, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from chassis.limits import Ask, Rate, Taken, ValkeyLimiter
from services.cart.clients.shards import Shards
from services.cart.domain.cart import ProductCard, Sku
from stack.access import Access
from stack.passwords import NAMES
from stack.ports import free_port
from stack.servers import Valkey

ACCESS = Access(ports={}, passwords={name: f"secret-of-{name}" for name in NAMES})


@pytest.fixture
def valkey_with_users(server_folder: Path) -> Iterator[Valkey]:
    users = [ACCESS.cache_user, ACCESS.limits_user]
    with Valkey(server_folder / "valkey", free_port(), "s3cret", users=users, dies_with_parent=True) as server:
        yield server


async def test_the_cards_are_kept_and_read_by_their_user(valkey_with_users: Valkey) -> None:
    shards = Shards([valkey_with_users.url_of(ACCESS.cache_user)], ttl_seconds=60, answer_seconds_max=5)
    card = ProductCard(Sku(1002), "Ремень кожаный", 1700)

    await shards.write(card)
    found = await shards.read([Sku(1002), Sku(1003)])
    await shards.stop()

    assert found == {1002: card}


async def test_rates_are_kept_by_their_user(valkey_with_users: Valkey) -> None:
    url = valkey_with_users.url_of(ACCESS.limits_user)
    limiter = ValkeyLimiter(url, prefix="limits:", answer_seconds_max=5)
    ask = Ask(key="any", rate=Rate(calls=10, seconds=1.0))

    await limiter.check()
    taken, wait = await limiter.take(ask), await limiter.look(ask)
    await limiter.pause(ask, 5.0)
    await limiter.stop()

    assert taken == Taken(0.0)
    assert wait > 0


@pytest.mark.parametrize("user", [ACCESS.cache_user, ACCESS.limits_user], ids=lambda user: user.name)
@pytest.mark.parametrize(
    "command",
    [
        ("SET", "other:1", "x"),
        ("GET", "other:1"),
        ("FLUSHALL",),
        ("KEYS", "*"),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
        ("EVAL", "return 1", "0"),
        ("DEL", "card:1"),
        ("SUBSCRIBE", "news"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
async def test_whatever_else_is_refused(valkey_with_users: Valkey, user: Any, command: tuple[str, ...]) -> None:
    async with Redis.from_url(valkey_with_users.url_of(user)) as client:
        with pytest.raises(NoPermissionError):
            await client.execute_command(*command)  # type: ignore[no-untyped-call] # published without types


async def test_no_password_of_a_user_stands_in_the_configuration(valkey_with_users: Valkey) -> None:
    text = (valkey_with_users.folder / "valkey.conf").read_text()

    assert "user cart-cache on #" in text
    assert "secret-of" not in text
