"""Settings that cannot be meant are refused by name, value and bound."""

from typing import Any

import pytest

from outbox.message import TopicRule
from outbox.relay import Relay
from outbox.schema import install_sql
from outbox.settings import BadSetting, RelaySettings

SOUND: dict[str, Any] = {
    "dsn": "postgresql://owner@127.0.0.1/shop",
    "bootstrap_servers": "127.0.0.1:9092",
    "topics": (TopicRule("orders", versioned=False),),
}


def test_what_is_sound_passes() -> None:
    assert RelaySettings(**SOUND).instance == "relay-0"
    assert RelaySettings(**{**SOUND, "name": "search index"}).name == "search index"


@pytest.mark.parametrize(
    ("name", "value", "bound"),
    [
        ("dsn", "", "must be a text that is not blank"),
        ("name", "", "must be a text that is not blank"),
        ("instance", "relay 0", "must hold no blank"),
        ("poll_seconds_min", 0.5, "must not be above 0.05"),
        ("poll_seconds_max", "0.05", "must lie between 0.001 and 10"),
        ("batch_rows_max", True, "must lie between 1 and 50000"),
        ("batch_rows_max", 0, "must lie between 1 and 50000"),
        ("compression", "foo", "must be None, lz4, zstd, gzip or snappy"),
        (
            "topics",
            (TopicRule("orders", versioned=False), TopicRule("orders", versioned=True)),
            "must name each topic once",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(name: str, value: object, bound: str) -> None:
    with pytest.raises(BadSetting) as refusal:
        RelaySettings(**{**SOUND, name: value})

    assert str(refusal.value).startswith(f"{name} = ")
    assert str(refusal.value).endswith(bound)


def test_a_relay_without_a_broker_is_refused() -> None:
    with pytest.raises(BadSetting, match="bootstrap_servers = '': must name a broker"):
        Relay(**{**SOUND, "bootstrap_servers": ""})


@pytest.mark.parametrize("width", [-1, 0, 2**40])
def test_a_width_no_partition_can_have_is_refused(width: int) -> None:
    with pytest.raises(ValueError, match=f"partition_width = {width}: must be from 1 to"):
        install_sql(writer_role="app", partition_width=width)


def test_a_role_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="writer_role = '': must not be blank"):
        install_sql(writer_role="")
