from pathlib import Path

import pytest

from stack.access import Access
from stack.external import External, keep, kept
from stack.home import Home
from stack.passwords import NAMES
from stack.processes import access_of, brokers_of, listener_counts, units_of
from stack.reset import delete
from stack.settings import BadSetting, settings_of
from stack.units import ServiceUnit, StepUnit, Unit

GIVEN = {
    "ONELANE_EXTERNAL": "1",
    "ONELANE_EXTERNAL_POSTGRES_URL": "postgresql://root:s3cret@db.example:5433/postgres?sslmode=require",
    "ONELANE_EXTERNAL_KAFKA": "k1.example:9092,k2.example:9092",
    "ONELANE_EXTERNAL_VALKEY_URL": "redis://:s3cret@valkey.example:6379/0",
}
EXTERNAL = External(
    postgres_url=GIVEN["ONELANE_EXTERNAL_POSTGRES_URL"],
    kafka=GIVEN["ONELANE_EXTERNAL_KAFKA"],
    valkey_url=GIVEN["ONELANE_EXTERNAL_VALKEY_URL"],
    cache_urls=(),
)


def units(folder: Path, **more: str) -> dict[str, Unit]:
    settings = settings_of({**GIVEN, "ONELANE_HOME": str(folder), **more})
    counts = listener_counts(settings)
    ports = {name: tuple(range(30_000, 30_000 + count)) for name, count in counts.items()}
    made = units_of(settings, access_of(settings, ports), on_jars=lambda _ready, _all: None)
    return {unit.facts.name: unit for unit in made}


def test_settings_say_where_they_are_and_another_process_reads_the_same() -> None:
    settings = settings_of(GIVEN)

    assert settings.external == EXTERNAL
    assert settings_of(settings.environment()) == settings
    assert settings_of({**GIVEN, "ONELANE_EXTERNAL": "0"}).external is None


@pytest.mark.parametrize(("variable", "value"), [("ONELANE_BROKERS", "3"), ("ONELANE_POOLER", "1")])
def test_what_only_servers_of_ours_can_do_is_refused_beside_them(variable: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"{variable}='{value}'"):
        settings_of({**GIVEN, variable: value})


def test_every_address_is_theirs() -> None:
    access = Access({"loms-http": (8084,)}, dict.fromkeys(NAMES, "p@ss"), external=EXTERNAL)

    assert access.dsn("loms", "loms") == "postgresql://loms:p%40ss@db.example:5433/loms?sslmode=require"
    assert access.pooled_dsn("loms", "loms") == access.dsn("loms", "loms")
    assert access.kafka == "k1.example:9092,k2.example:9092"
    assert access.limits == access.valkey == "redis://:s3cret@valkey.example:6379/0"
    assert access.cache_shards == ["redis://:s3cret@valkey.example:6379/0"]
    assert access.loms_http == "http://127.0.0.1:8084"


def test_none_of_our_servers_is_started_but_envoy_and_the_stand_in(tmp_path: Path) -> None:
    made = units(tmp_path)

    theirs = {name for name, unit in made.items() if unit.facts.version == "external"}
    assert theirs == {"postgres", "kafka", "valkey"}
    assert {"envoy", "telegram", "loms-api", "databases", "topics"} <= made.keys()
    assert "valkey-cache-0" not in made
    assert not any("s3cret" in unit.facts.address for unit in made.values())


def test_with_an_envoy_of_theirs_not_even_that(tmp_path: Path) -> None:
    made = units(tmp_path, ONELANE_EXTERNAL_LOMS_HTTP_URL="http://door.example:8084/")

    assert made["envoy"].facts.version == "external"


def test_preparation_goes_to_their_servers_and_only_it_gets_the_superuser(tmp_path: Path) -> None:
    made = units(tmp_path)
    steps = {name: unit for name, unit in made.items() if isinstance(unit, StepUnit)}
    told = {
        name: set(unit.command.environment.values())
        for name, unit in made.items()
        if isinstance(unit, ServiceUnit | StepUnit)
    }

    assert {name for name, values in told.items() if EXTERNAL.postgres_url in values} == {"databases"}
    assert "--replication" not in steps["topics"].command.argv
    assert EXTERNAL.kafka in steps["topics"].command.argv


def test_no_broker_is_ours(tmp_path: Path) -> None:
    assert brokers_of(settings_of({**GIVEN, "ONELANE_HOME": str(tmp_path)})) == 0


def test_later_commands_find_them_in_a_file_that_its_owner_alone_may_read(tmp_path: Path) -> None:
    home = Home(tmp_path)

    keep(home, EXTERNAL)

    assert kept(home) == EXTERNAL
    assert home.external_file.stat().st_mode & 0o777 == 0o600


def test_a_reset_forgets_them(tmp_path: Path) -> None:
    home = Home(tmp_path)
    keep(home, EXTERNAL)

    delete(home)

    assert not home.external_file.exists()
