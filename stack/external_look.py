"""Whether servers of others can be used, asked one by one as their clients would: what answered, and what to do.

Every finding names the setting and the address it holds, without its password.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

import asyncpg
import httpx
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from stack.access import masked
from stack.errors import StackError
from stack.external import CACHES, KAFKA, LOMS_HTTP, POSTGRES, VALKEY, External
from stack.preconditions import Finding

POSTGRES_MIN = 14
"""The first with the role that reads everything, which the verifier is given."""

_ASK_SECONDS_MAX = 5.0
_LOOKED_AT = 1_000
"""Characters of a document within which it says what it is."""
_RIGHTS = """
select current_setting('server_version_num')::int / 10000 as version, rolsuper, rolname
  from pg_roles where rolname = current_user
"""


class Unusable(Exception):
    """What a server answered, and what to do about it."""

    def __init__(self, answered: str, cure: str) -> None:
        super().__init__(answered)
        self.cure = cure


class ExternalUnusable(StackError):
    """Servers that were to be used cannot be; a line for each."""

    def __init__(self, wrong: Sequence[Finding]) -> None:
        super().__init__(
            "\n".join(["servers of others cannot be used:", *(f"  {each.name}: {each.detail}" for each in wrong)]),
            cure="; ".join(each.cure for each in wrong),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalServer:
    """One server of others: the setting that leads to it, the form that setting has, and how it is asked."""

    name: str
    setting: str
    address: str = field(repr=False)
    example: str
    ask: Callable[[str], Awaitable[str]]

    @property
    def shown(self) -> str:
        """The address without its password."""
        return masked(self.address)

    def look(self) -> Finding:
        """Ask it; never raises."""
        given = f"{self.setting}={self.shown}"
        try:
            answered = asyncio.run(self._answer())
        except Unusable as wrong:
            return Finding(self.name, ok=False, detail=f"{given}: {wrong}", cure=wrong.cure)
        return Finding(self.name, ok=True, detail=f"{given}: {answered}")

    async def _answer(self) -> str:
        parts = [self.address] if "://" in self.example else self.address.split(",")  # a password may hold a comma
        if not all(map(self._is_address, parts)):
            said = "is not an address" if self.address else "is not set"
            raise self._no_address(said)
        try:
            async with asyncio.timeout(_ASK_SECONDS_MAX):
                return await self.ask(self.address)
        except TimeoutError:
            raise self._away(f"nothing answered within {_ASK_SECONDS_MAX:.0f} s") from None
        except (OSError, KafkaError, RedisError, httpx.TransportError) as error:
            raise self._away(f"nothing usable answered ({error})") from None
        except (ValueError, OverflowError, httpx.InvalidURL):  # of parts that only the client reads
            raise self._no_address("is not an address") from None

    def _no_address(self, said: str) -> Unusable:
        return Unusable(said, f"set {self.setting}, as in {self.example}")

    def _away(self, answered: str) -> Unusable:
        return Unusable(answered, f"start {self.name} there, or correct {self.setting}")

    def _is_address(self, text: str) -> bool:
        """Whether it has the scheme of the example and a host; where the example has no scheme, a port too."""
        scheme = urlsplit(self.example).scheme if "://" in self.example else ""
        try:
            parts = urlsplit(text if scheme else f"//{text}")
            has_port = parts.port is not None  # raises beyond 65535
            return parts.scheme == scheme and bool(parts.hostname) and (bool(scheme) or has_port)
        except ValueError:  # a port that is no number
            return False


def external_servers(external: External) -> list[ExternalServer]:
    """All of them, by the names ours would have."""
    found = [
        ExternalServer(
            name="postgres",
            setting=POSTGRES,
            address=external.postgres_url,
            example="postgresql://postgres:secret@127.0.0.1:5432/postgres",
            ask=_postgres,
        ),
        ExternalServer(
            name="kafka", setting=KAFKA, address=external.kafka, example="127.0.0.1:9092,127.0.0.1:9093", ask=_kafka
        ),
    ]
    found.append(_valkey_server("valkey", VALKEY, external.valkey_url, ask=_rates))
    for number, url in enumerate(external.cache_urls):
        found.append(_valkey_server(f"valkey-cache-{number}", CACHES, url, ask=_cards))
    if url := external.loms_http_url:
        found.append(
            ExternalServer(name="envoy", setting=LOMS_HTTP, address=url, example="http://127.0.0.1:8084", ask=_envoy)
        )
    return found


def look(external: External) -> list[Finding]:
    """Ask each of them."""
    return [server.look() for server in external_servers(external)]


def _valkey_server(name: str, setting: str, url: str, *, ask: Callable[[Redis], Awaitable[object]]) -> ExternalServer:
    return ExternalServer(
        name=name,
        setting=setting,
        address=url,
        example="redis://:secret@127.0.0.1:6379/0",
        ask=partial(_valkey, setting, ask),
    )


async def _postgres(url: str) -> str:
    try:
        connection = await asyncpg.connect(url)
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidPasswordError) as error:
        raise Unusable(f"it refuses us ({error})", f"correct user and password in {POSTGRES}") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise Unusable(f"it answered: {error}", f"correct {POSTGRES}") from None
    try:
        row = await connection.fetchrow(_RIGHTS)
    finally:
        await connection.close()
    version, is_superuser, role = row or (0, False, "")
    if version < POSTGRES_MIN:
        raise Unusable(f"it is PostgreSQL {version}", f"{POSTGRES} must lead to PostgreSQL {POSTGRES_MIN} or newer")
    if not is_superuser:
        cure = f"give {POSTGRES} a superuser, or make {role} one: databases and roles are made with it"
        raise Unusable(f"the role {role} is no superuser", cure)
    return f"PostgreSQL {version}, as {role}"


async def _kafka(bootstrap: str) -> str:
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # what it says is in the finding
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        brokers = (await admin.describe_cluster())["brokers"]
    finally:
        await admin.close()
    for broker in brokers:
        await _reached(broker["node_id"], broker["host"], broker["port"])
    return f"{len(brokers)} broker(s)"


async def _reached(node: int, host: str, port: int) -> None:
    """Every broker must answer where it says that it is, not only where clients begin."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        answered = f"broker {node} says that it is at {host}:{port}, where nothing answers ({error.strerror or error})"
        raise Unusable(answered, f"set its advertised.listeners to what {KAFKA} can reach") from None
    writer.close()
    await writer.wait_closed()


async def _valkey(setting: str, ask: Callable[[Redis], Awaitable[object]], url: str) -> str:
    async with Redis.from_url(url) as client:
        try:
            await ask(client)
        except AuthenticationError as error:
            raise Unusable(f"it refuses us ({error})", f"correct user and password in {setting}") from None
        except NoPermissionError as error:
            raise Unusable(
                f"the user may not do what is needed ({error})", f"allow it to the user of {setting}"
            ) from None
    return "answers"


async def _rates(client: Redis) -> object:
    """As the limits use it: scripts over keys of their own."""
    digest = await client.script_load("return redis.call('TIME')")
    return await client.evalsha(digest, 1, "limits:onelane-doctor")


async def _cards(client: Redis) -> object:
    """As the cache uses it."""
    return await client.set("card:onelane-doctor", "1", px=1)


async def _envoy(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.get(f"{url}/openapi.json")
    if not response.is_success or "openapi" not in response.text[:_LOOKED_AT]:
        raise Unusable(
            f"/openapi.json is answered with {response.status_code}", f"{LOMS_HTTP} must lead to the door of LOMS"
        )
    return f"answers {response.status_code}"
