"""Servers of others: a finding for each, with the setting, the address, what answered and what to do."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncpg
import pytest

from stack import external_look
from stack.external import External
from stack.external_look import Unusable, look
from stack.ports import LOOPBACK, free_port
from stack.servers.valkey import Valkey, ValkeyUser
from tests.given import Database, SharedKafka, SharedPostgres, SharedValkey

NOWHERE = f"{LOOPBACK}:1"


@pytest.fixture
def usable(postgres: SharedPostgres, kafka: SharedKafka, valkey: SharedValkey) -> External:
    return External(
        postgres_url=postgres.admin_dsn, kafka=kafka.bootstrap, valkey_url=valkey.url, cache_urls=(valkey.url,)
    )


def with_facts(external: External, **facts: object) -> External:
    given = {name: getattr(external, name) for name in External.__slots__}
    return External(**{**given, **facts})


def wrong_ones(external: External) -> dict[str, tuple[str, str]]:
    return {each.name: (each.detail, each.cure) for each in look(external) if not each.ok}


def test_servers_that_can_be_used_say_what_they_are(usable: External) -> None:
    found = {each.name: (each.ok, each.detail) for each in look(usable)}

    assert found.keys() == {"postgres", "kafka", "valkey", "valkey-cache-0"}
    assert all(ok for ok, _ in found.values())
    assert "ONELANE_EXTERNAL_POSTGRES_URL=postgresql://" in found["postgres"][1]
    assert ":***@" in found["postgres"][1]
    assert found["kafka"][1].endswith("1 broker(s)")


def test_what_is_not_set_is_named_with_an_example() -> None:
    wrong = wrong_ones(External(postgres_url="", kafka="", valkey_url="", cache_urls=()))

    assert wrong == {
        "postgres": (
            "ONELANE_EXTERNAL_POSTGRES_URL=: is not set",
            "set ONELANE_EXTERNAL_POSTGRES_URL, as in postgresql://postgres:secret@127.0.0.1:5432/postgres",
        ),
        "kafka": (
            "ONELANE_EXTERNAL_KAFKA=: is not set",
            "set ONELANE_EXTERNAL_KAFKA, as in 127.0.0.1:9092,127.0.0.1:9093",
        ),
        "valkey": (
            "ONELANE_EXTERNAL_VALKEY_URL=: is not set",
            "set ONELANE_EXTERNAL_VALKEY_URL, as in redis://:secret@127.0.0.1:6379/0",
        ),
    }


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("postgres_url", "127.0.0.1:5432"),
        ("postgres_url", "mysql://root@127.0.0.1/x"),
        ("kafka", "127.0.0.1"),
        ("kafka", "127.0.0.1:9092,broker:many"),
        ("valkey_url", "127.0.0.1:6379"),
        ("loms_http_url", "127.0.0.1:8084"),
        ("postgres_url", "postgresql://127.0.0.1:99999/d"),
        ("postgres_url", "postgresql://[::1"),
        ("kafka", "a..b:9092"),
        ("kafka", "[::1:9092"),
        ("valkey_url", "redis://127.0.0.1:99999"),
        ("valkey_url", "redis://127.0.0.1:6379/0?socket_timeout=abc"),
        ("valkey_url", "redis://[::1"),
        ("loms_http_url", "http://127.0.0.1:99999"),
        ("loms_http_url", "http://[::1"),
    ],
)
def test_what_is_no_address_is_named(usable: External, fact: str, value: str) -> None:
    [(detail, cure)] = wrong_ones(with_facts(usable, **{fact: value})).values()

    assert detail.endswith(f"={value}: is not an address")
    assert ", as in " in cure


def test_where_nothing_listens_that_is_said_of_each(usable: External) -> None:
    away = with_facts(
        usable,
        postgres_url=f"postgresql://postgres:secret@{NOWHERE}/postgres",
        kafka=NOWHERE,
        valkey_url=f"redis://:secret@{NOWHERE}/0",
        cache_urls=(f"redis://:secret@{NOWHERE}/0",),
        loms_http_url=f"http://{NOWHERE}",
    )

    wrong = wrong_ones(away)

    assert wrong.keys() == {"postgres", "kafka", "valkey", "valkey-cache-0", "envoy"}
    assert all("nothing usable answered" in detail and "secret" not in detail for detail, _ in wrong.values())
    assert wrong["valkey-cache-0"][1] == "start valkey-cache-0 there, or correct ONELANE_EXTERNAL_CACHE_URLS"


def test_a_wrong_password_of_postgres_is_told_from_a_server_that_is_away(usable: External) -> None:
    given = urlsplit(usable.postgres_url)
    other = given._replace(netloc=f"postgres:{quote('not this')}@{given.hostname}:{given.port}").geturl()

    [(detail, cure)] = wrong_ones(with_facts(usable, postgres_url=other)).values()

    assert "it refuses us (password authentication failed" in detail
    assert cure == "correct user and password in ONELANE_EXTERNAL_POSTGRES_URL"


async def test_a_role_that_cannot_make_databases_is_refused(database: Database) -> None:
    admin = await asyncpg.connect(database.dsn)
    role = f"{database.name}_app"
    await admin.execute(f"create role {role} login password 'app'")
    try:
        with pytest.raises(Unusable, match=f"the role {role} is no superuser") as refusal:
            await external_look._postgres(database.dsn_for(role, "app"))
    finally:
        await admin.execute(f"drop role {role}")
        await admin.close()

    assert "databases and roles are made with it" in refusal.value.cure


async def test_a_broker_that_cannot_be_reached_where_it_says_it_is() -> None:
    port = free_port()

    with pytest.raises(Unusable, match=f"broker 2 says that it is at {LOOPBACK}:{port}, where nothing") as refusal:
        await external_look._reached(2, LOOPBACK, port)

    assert refusal.value.cure == "set its advertised.listeners to what ONELANE_EXTERNAL_KAFKA can reach"


@pytest.fixture
def guarded(server_folder: Path) -> Iterator[Valkey]:
    users = [
        ValkeyUser(name="rates", password="r", keys=["limits:*"], commands=["evalsha", "script|load", "time"]),
        ValkeyUser(name="cards", password="c", keys=["card:*"], commands=["set", "mget"]),
    ]
    with ExitStack() as down:
        yield down.enter_context(Valkey(server_folder / "v", free_port(), "top", users=users, dies_with_parent=True))


def test_a_user_of_valkey_may_have_no_more_than_is_needed(usable: External, guarded: Valkey) -> None:
    at = f"{LOOPBACK}:{guarded.port}/0"

    fit = with_facts(usable, valkey_url=f"redis://rates:r@{at}", cache_urls=(f"redis://cards:c@{at}",))
    crossed = with_facts(usable, valkey_url=f"redis://cards:c@{at}", cache_urls=(f"redis://rates:r@{at}",))
    stranger = with_facts(usable, valkey_url=f"redis://:wrong@{at}")

    assert wrong_ones(fit) == {}
    assert {name: cure for name, (_, cure) in wrong_ones(crossed).items()} == {
        "valkey": "allow it to the user of ONELANE_EXTERNAL_VALKEY_URL",
        "valkey-cache-0": "allow it to the user of ONELANE_EXTERNAL_CACHE_URLS",
    }
    assert wrong_ones(stranger)["valkey"][1] == "correct user and password in ONELANE_EXTERNAL_VALKEY_URL"
