"""Rates shared by every process that reaches the same Valkey: one script, one round trip, the server's clock."""

from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from chassis.limits.limiter import Ask, Held, LimiterAway, Rate, Taken

_MICROSECONDS = 1_000_000
_PROBE = Ask(key="probe", rate=Rate(calls=1_000, seconds=1.0), ahead_seconds=60.0)


class ValkeyLimiter:
    """A component over a Valkey address; keys begin with `prefix`.

    Any failure is LimiterAway, `answer_seconds_max` later at most (twice that if a connection is made first): a slot
    that was taken without our hearing of it is lost, which errs to the slow side. Nothing is connected before the first
    call, so Valkey may be away at the start.
    """

    name = "valkey limiter"

    def __init__(self, url: str, *, prefix: str, answer_seconds_max: float = 0.2, connections_max: int = 8) -> None:
        self._prefix = prefix
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections_max,
            timeout=answer_seconds_max,
            socket_timeout=answer_seconds_max,
            socket_connect_timeout=answer_seconds_max,
            retry=Retry(NoBackoff(), 0),
        )
        self._client = Redis.from_pool(pool)
        self._take, self._look, self._pause = (self._script(name) for name in ("take", "look", "pause"))

    async def start(self) -> None:
        """Do nothing: the first call connects."""

    async def stop(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def take(self, *asks: Ask) -> Taken | Held:
        """Take a slot of every key, or of none if one of them has none within its `ahead_seconds`."""
        terms = [
            _microseconds(seconds)
            for ask in asks
            for seconds in (
                ask.rate.spacing_seconds,
                ask.rate.leeway_seconds,
                ask.ahead_seconds,
                ask.rate.unknown_seconds,
            )
        ]
        taken, wait, *latest = await self._run(self._take, asks, terms)
        if taken:
            return Taken(wait / _MICROSECONDS)
        return Held(wait / _MICROSECONDS, by=asks[latest[0] - 1].key)

    async def look(self, ask: Ask) -> float:
        """Say in how many seconds the next slot of a key is free, and take nothing."""
        terms = [_microseconds(ask.rate.leeway_seconds), _microseconds(ask.rate.unknown_seconds)]
        return float(await self._run(self._look, [ask], terms)) / _MICROSECONDS

    async def pause(self, ask: Ask, seconds: float) -> None:
        """Give out no slot of a key for so long; a longer pause is never shortened."""
        await self._run(self._pause, [ask], [_microseconds(ask.rate.leeway_seconds), _microseconds(seconds)])

    async def check(self) -> None:
        """Raise LimiterAway unless slots can be had: the readiness check, and what a fallback waits for."""
        await self.take(_PROBE)

    async def _run(self, script: AsyncScript, asks: Sequence[Ask], terms: Sequence[int]) -> Any:
        answer: Awaitable[Any] = script(keys=[f"{self._prefix}{ask.key}" for ask in asks], args=list(terms))
        try:
            return await answer
        except (RedisError, OSError, TimeoutError) as error:
            raise LimiterAway(type(error).__name__) from error

    def _script(self, name: str) -> AsyncScript:
        return self._client.register_script(Path(__file__).with_name(f"{name}.lua").read_text(encoding="utf-8"))


def _microseconds(seconds: float) -> int:
    return round(seconds * _MICROSECONDS)
