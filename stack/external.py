"""Servers that somebody else runs, used instead of ours: where they are, as the settings or the last start tell.

Their addresses carry passwords, so they are kept in a file that its owner alone may read: later commands find the
running stack's servers without being told again.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit

from stack.home import Home
from stack.passwords import write_secrets

POSTGRES = "ONELANE_EXTERNAL_POSTGRES_URL"
KAFKA = "ONELANE_EXTERNAL_KAFKA"
VALKEY = "ONELANE_EXTERNAL_VALKEY_URL"
CACHES = "ONELANE_EXTERNAL_CACHE_URLS"
LOMS_HTTP = "ONELANE_EXTERNAL_LOMS_HTTP_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """The addresses, as given: whether they can be used is looked at when they are.

    Attributes:
        postgres_url: a superuser's, of any database: databases and roles are made with it.
        kafka: where clients begin, with commas.
        valkey_url: where rates are kept.
        cache_urls: the shards of the card cache; without any, the one Valkey is the only shard.
        loms_http_url: an Envoy in front of LOMS; without it ours is started.
    """

    postgres_url: str = field(repr=False)
    kafka: str
    valkey_url: str = field(repr=False)
    cache_urls: tuple[str, ...] = field(repr=False)
    loms_http_url: str = ""

    @property
    def caches(self) -> tuple[str, ...]:
        """The shards there are."""
        return self.cache_urls or (self.valkey_url,)

    def dsn(self, role: str, password: str, database: str) -> str:
        """The address of a database for a role: the superuser's with another user and path."""
        given = urlsplit(self.postgres_url)
        place = given.netloc.rpartition("@")[2]
        return urlunsplit(given._replace(netloc=f"{role}:{quote(password, safe='')}@{place}", path=f"/{database}"))

    def environment(self) -> dict[str, str]:
        """The variables that say the same in another process."""
        return {
            "ONELANE_EXTERNAL": "1",
            POSTGRES: self.postgres_url,
            KAFKA: self.kafka,
            VALKEY: self.valkey_url,
            CACHES: ",".join(self.cache_urls),
            LOMS_HTTP: self.loms_http_url,
        }


def external_of(environment: Mapping[str, str]) -> External:
    """What the environment says of them."""
    return External(
        postgres_url=environment.get(POSTGRES, ""),
        kafka=environment.get(KAFKA, ""),
        valkey_url=environment.get(VALKEY, ""),
        cache_urls=tuple(filter(None, environment.get(CACHES, "").split(","))),
        loms_http_url=environment.get(LOMS_HTTP, "").rstrip("/"),
    )


def keep(home: Home, external: External) -> None:
    """Keep the addresses for later commands."""
    write_secrets(home.external_file, asdict(external))


def kept(home: Home) -> External:
    """The addresses of the stack that runs in this home."""
    said = json.loads(home.external_file.read_text(encoding="utf-8"))
    return External(**{**said, "cache_urls": tuple(said["cache_urls"])})
