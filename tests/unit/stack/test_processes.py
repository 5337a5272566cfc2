from pathlib import Path

import pytest

from stack.errors import ClusterHasOtherSize
from stack.home import Home
from stack.processes import access_of, brokers_of, listener_counts, units_of
from stack.settings import PORTS, Settings
from stack.units import ServiceUnit, Unit

TOKEN = "123456:a-real-bot"


def unit_names(settings: Settings) -> set[str]:
    return set(units(settings))


def units(settings: Settings) -> dict[str, Unit]:
    counts = listener_counts(settings)
    ports = {name: tuple(range(30_000, 30_000 + count)) for name, count in counts.items()}
    made = units_of(settings, access_of(settings, ports), on_jars=lambda _ready, _all: None)
    return {unit.facts.name: unit for unit in made}


def environment_of(unit: Unit) -> dict[str, str]:
    assert isinstance(unit, ServiceUnit)
    return dict(unit.command.environment)


def test_servers_steps_and_services_make_the_platform(tmp_path: Path) -> None:
    assert unit_names(Settings(home=Home(tmp_path))) == {
        "postgres",
        "kafka",
        "valkey",
        "valkey-cache-0",
        "valkey-cache-1",
        "telegram",
        "databases",
        "topics",
        "loms-api",
        "loms-relay-0",
        "loms-relay-1",
        "notification-consumer",
        "notification-sender",
        "notification-bot",
        "product-api",
        "cart-api",
        "projection",
        "envoy",
    }


def test_servers_alone_are_a_platform_too(tmp_path: Path) -> None:
    settings = Settings(home=Home(tmp_path), servers_only=True)

    assert unit_names(settings) == {"postgres", "kafka", "valkey", "valkey-cache-0", "valkey-cache-1", "telegram"}
    assert {"loms-grpc", "loms-http", "health"}.isdisjoint(n for n, count in listener_counts(settings).items() if count)


@pytest.mark.parametrize("limited", [True, False])
def test_the_stand_in_limits_as_the_real_service_unless_told_not_to(tmp_path: Path, *, limited: bool) -> None:
    stand_in = units(Settings(home=Home(tmp_path), telegram_limits=limited))["telegram"]

    assert isinstance(stand_in, ServiceUnit)
    assert ("--limits" in stand_in.command.argv) is limited


def test_the_sender_keeps_its_limits_in_valkey(tmp_path: Path) -> None:
    sender = environment_of(units(Settings(home=Home(tmp_path)))["notification-sender"])

    assert sender["NOTIFICATION_LIMITS_URL"].startswith("redis://limits:")


def test_with_a_pooler_the_api_goes_through_it_and_what_needs_the_server_itself_does_not(tmp_path: Path) -> None:
    settings = Settings(home=Home(tmp_path), pooler=True)
    ports = {name: tuple(range(20_000, 20_000 + count)) for name, count in listener_counts(settings).items()}
    access = access_of(settings, ports | {"postgres": (5432,), "pgbouncer": (6432,)})

    made = {unit.facts.name: unit for unit in units_of(settings, access, on_jars=lambda _ready, _all: None)}

    api = environment_of(made["loms-api"])
    addresses = {name: value.rpartition("@")[2] for name, value in api.items() if name.endswith("_URL")}
    assert addresses == {
        "LOMS_DATABASE_URL": "127.0.0.1:6432/loms",
        "LOMS_DIRECT_URL": "127.0.0.1:5432/loms",
        "LOMS_OWNER_URL": "127.0.0.1:5432/loms",
    }
    waits = {name for name, unit in made.items() if "pgbouncer" in unit.facts.needs}
    assert waits == {"loms-api"}
    assert made["pgbouncer"].facts.needs == {"postgres"}


def test_without_one_nothing_waits_for_it(tmp_path: Path) -> None:
    settings = Settings(home=Home(tmp_path))

    assert "pgbouncer" not in listener_counts(settings)
    assert not any("pgbouncer" in unit.facts.needs for unit in units(settings).values())


def test_the_bot_cancels_orders_where_they_are_owned(tmp_path: Path) -> None:
    made = units(Settings(home=Home(tmp_path)))

    owner = environment_of(made["loms-api"])["LOMS_GRPC_ADDRESS"]
    assert environment_of(made["notification-bot"])["NOTIFICATION_LOMS_ADDRESS"] == owner


def test_a_real_bot_replaces_the_stand_in(tmp_path: Path) -> None:
    settings = Settings(home=Home(tmp_path), telegram_token=TOKEN)

    sender = environment_of(units(settings)["notification-sender"])

    assert "telegram" not in unit_names(settings)
    assert sender["NOTIFICATION_TELEGRAM_URL"] == "https://api.telegram.org"
    assert sender["NOTIFICATION_TELEGRAM_TOKEN"] == TOKEN


def test_every_replica_has_a_name_and_a_health_port_of_its_own(tmp_path: Path) -> None:
    made = units(Settings(home=Home(tmp_path)))
    relays = [environment_of(made[f"loms-relay-{number}"]) for number in (0, 1)]

    assert [each["LOMS_INSTANCE"] for each in relays] == ["loms-relay-0", "loms-relay-1"]
    assert [each["LOMS_HEALTH_ADDRESS"] for each in relays] == ["127.0.0.1:30001", "127.0.0.1:30002"]


def test_only_its_own_settings_reach_a_service_from_the_callers_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")

    monkeypatch.setenv("LOMS_POOL_SIZE", "3")
    monkeypatch.setenv("LOMS_OWNER_URL", "postgresql://of-another-stack")

    api = environment_of(units(Settings(home=Home(tmp_path)))["loms-api"])

    assert api["LOMS_POOL_SIZE"] == "3"
    assert "of-another-stack" not in api["LOMS_OWNER_URL"]
    assert "AWS_SECRET_ACCESS_KEY" not in api
    assert "NOTIFICATION_DATABASE_URL" not in api


def test_data_decides_the_number_of_brokers(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert brokers_of(Settings(home=home)) == 1
    assert brokers_of(Settings(home=home, brokers=3)) == 3

    (home.data / "kafka").mkdir(parents=True)
    (home.data / "kafka" / "cluster.json").write_text('{"id": "x", "brokers": 3}', encoding="utf-8")

    assert brokers_of(Settings(home=home)) == 3
    with pytest.raises(ClusterHasOtherSize, match="was made by 3"):
        brokers_of(Settings(home=home, brokers=1))


def test_no_two_defaults_collide() -> None:
    defaults = [setting.default for setting in PORTS.values()]

    assert len(set(defaults)) == len(defaults)
