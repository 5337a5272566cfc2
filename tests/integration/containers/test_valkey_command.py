"""The command of the containers' Valkey, run without a container: its program's user may do its work, and no more."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import NoPermissionError

from stack.ports import LOOPBACK, free_port
from stack.servers.valkey import valkey_binary
from tests.containers import compose
from tests.waiting import eventually


@dataclass(frozen=True, slots=True)
class Started:
    """A server as compose starts it."""

    port: int
    passwords: dict[str, str]

    def client(self, user: str) -> Redis:
        return Redis(host=LOOPBACK, port=self.port, username=user, password=self.passwords[user])


@contextmanager
def started(name: str, folder: Path) -> Iterator[Started]:
    service = compose.filled(compose.example() | {"VALKEY_LIMITS_PASSWORD": "rates", "VALKEY_CACHE_PASSWORD": "cards"})
    given = service["services"][name]
    shell, flags, script = given["command"]
    port = free_port()
    for inside in ("/tmp", "/data"):  # noqa: S108 - the container's own, replaced by a folder of the test
        script = script.replace(f"{inside}/", f"{folder}/").replace(f"{inside} ", f"{folder} ")
    script = script.rstrip() + f" --port {port} --bind {LOOPBACK}"
    path = f"{valkey_binary().parent}:{os.environ['PATH']}"
    argv = [shell, flags, script]
    with subprocess.Popen(argv, env={**given["environment"], "PATH": path}, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - the file's own
        try:
            told = given["environment"]
            yield Started(port, {"default": told["VALKEY_PASSWORD"], told["VALKEY_USER"]: told["VALKEY_USER_PASSWORD"]})
        finally:
            process.kill()


async def answers(client: Redis) -> bool:
    try:
        return bool(await client.ping())
    except NotConnected:
        return False


async def test_who_keeps_rates_may_do_that(tmp_path: Path) -> None:
    with started("valkey-limits", tmp_path) as server:
        async with server.client("default") as operator, server.client("limits") as limits:
            await eventually(lambda: answers(operator))
            script = await limits.script_load("redis.call('SET', KEYS[1], '1') return redis.call('GET', KEYS[1])")

            assert await limits.evalsha(script, 1, "limits:product") == b"1"
            for refused in (limits.get("card:1"), limits.flushall(), limits.config_get("requirepass")):
                with pytest.raises(NoPermissionError):
                    await refused


async def test_who_keeps_cards_may_do_that(tmp_path: Path) -> None:
    with started("valkey-cache-0", tmp_path) as server:
        async with server.client("default") as operator, server.client("cart-cache") as cache:
            await eventually(lambda: answers(operator))
            await cache.set("card:1", "one", ex=10)

            assert await cache.mget("card:1", "card:2") == [b"one", None]
            for refused in (cache.set("limits:product", "1"), cache.keys("*")):
                with pytest.raises(NoPermissionError):
                    await refused
