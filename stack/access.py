"""How the parts of a running stack are reached: ports and passwords become addresses.

An address with a password in it is never logged; `masked` is what people are shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from stack.external import External
from stack.ports import LOOPBACK
from stack.servers.valkey import ValkeyUser

TELEGRAM_URL = "https://api.telegram.org"
_PASSWORD = re.compile(r"(?<=://)([^:@/]*):[^@]+(?=@)")


@dataclass(frozen=True, slots=True)
class Access:
    """Addresses of one stack. `telegram_token` is the real bot's, where the caller knows it.

    Where there are `external` servers their addresses are as they were given.
    """

    ports: Mapping[str, tuple[int, ...]]
    passwords: Mapping[str, str] = field(repr=False)
    telegram_token: str | None = field(default=None, repr=False)
    external: External | None = None

    def dsn(self, role: str, database: str) -> str:
        """The address of a database for a role."""
        if self.external:
            return self.external.dsn(role, self.passwords[role], database)
        return f"postgresql://{role}:{self.passwords[role]}@{self.address('postgres')}/{database}"

    def pooled_dsn(self, role: str, database: str) -> str:
        """The same through the pooler, where there is one."""
        if "pgbouncer" not in self.ports:
            return self.dsn(role, database)
        return f"postgresql://{role}:{self.passwords[role]}@{self.address('pgbouncer')}/{database}"

    @property
    def kafka(self) -> str:
        """Where Kafka clients begin."""
        if self.external:
            return self.external.kafka
        return ",".join(f"{LOOPBACK}:{port}" for port in self.ports["kafka"])

    @property
    def valkey(self) -> str:
        """The operator's address of Valkey, with its password."""
        if self.external:
            return self.external.valkey_url
        return f"redis://:{self.passwords['valkey']}@{self.address('valkey')}/0"

    @property
    def limits_user(self) -> ValkeyUser:
        """Who keeps rates: a few scripts over its own keys (what a script calls is checked as well)."""
        return ValkeyUser(
            name="limits",
            password=self.passwords["valkey_limits"],
            keys=["limits:*", "telegram:*"],
            commands=["evalsha", "script|load", "time", "get", "set", "client|setinfo"],
        )

    @property
    def cache_user(self) -> ValkeyUser:
        """Who reads and writes product cards."""
        return ValkeyUser(
            name="cart-cache",
            password=self.passwords["valkey_cache"],
            keys=["card:*"],
            commands=["mget", "set", "client|setinfo"],
        )

    @property
    def limits(self) -> str:
        """The address where rates are kept, with its user and password."""
        if self.external:
            return self.external.valkey_url
        return self._valkey(self.limits_user, self.address("valkey"))

    @property
    def cache_shards(self) -> list[str]:
        """The addresses of the card cache's shards, with their user and password."""
        if self.external:
            return list(self.external.caches)
        shards = range(len(self.ports["valkey-cache"]))
        return [self._valkey(self.cache_user, self.address("valkey-cache", number)) for number in shards]

    @property
    def loms_http(self) -> str:
        """Where LOMS answers over HTTP."""
        return (self.external and self.external.loms_http_url) or self.url("loms-http")

    @property
    def has_stand_in(self) -> bool:
        """Whether the stand-in plays Telegram."""
        return "telegram" in self.ports

    @property
    def telegram(self) -> str:
        """The base of the Bot API: the stand-in's, or Telegram's own."""
        return self.url("telegram") if self.has_stand_in else TELEGRAM_URL

    @property
    def bot_token(self) -> str:
        """The token to show there."""
        return self.telegram_token or self.passwords["telegram"]

    @staticmethod
    def _valkey(user: ValkeyUser, address: str) -> str:
        return f"redis://{user.name}:{user.password}@{address}/0"

    def address(self, listener: str, index: int = 0) -> str:
        """`host:port` of a listener by its name in settings.PORTS."""
        return f"{LOOPBACK}:{self.ports[listener][index]}"

    def url(self, listener: str) -> str:
        """`http://host:port` of a listener."""
        return f"http://{self.address(listener)}"


def masked(address: str) -> str:
    """The address with the password replaced by stars."""
    return _PASSWORD.sub(r"\1:***", address)
