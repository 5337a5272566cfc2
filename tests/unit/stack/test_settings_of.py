from pathlib import Path

import pytest

from stack.home import CHECKOUT
from stack.settings import BadSetting, settings_of


def test_nothing_set_means_the_checkouts_home_and_default_ports() -> None:
    settings = settings_of({})

    assert settings.home.folder == CHECKOUT / ".onelane"
    assert settings.ports == {}
    assert settings.brokers is None
    assert settings.telegram_token is None


def test_ports_are_one_number_or_a_list() -> None:
    settings = settings_of({"ONELANE_LOMS_HTTP_PORT": "18084", "ONELANE_KAFKA_PORT": "1,2,3"})

    assert settings.ports == {"loms-http": (18084,), "kafka": (1, 2, 3)}


def test_another_process_reads_the_same_choices() -> None:
    settings = settings_of(
        {
            "ONELANE_HOME": "/somewhere",
            "ONELANE_BROKERS": "3",
            "ONELANE_KAFKA_PORT": "1,2,3",
            "ONELANE_TELEGRAM_TOKEN": "1:a",
            "ONELANE_SERVERS_ONLY": "1",
            "ONELANE_LOG_LEVEL": "debug",
        }
    )

    assert settings_of(settings.environment()) == settings
    assert settings.home.folder == Path("/somewhere")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ONELANE_KAFKA_PORT", "many"),
        ("ONELANE_KAFKA_PORT", "70000"),
        ("ONELANE_BROKERS", "0"),
        ("ONELANE_BROKERS", "two"),
        ("ONELANE_LOG_LEVEL", "loud"),
        ("ONELANE_START_SECONDS_MAX", "soon"),
        ("ONELANE_START_SECONDS_MAX", "0"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_variable_value_and_bound(variable: str, value: str) -> None:
    with pytest.raises(BadSetting, match=rf"{variable}='{value}' is not .+\ncure: set {variable}"):
        settings_of({variable: value})
