"""A process with a wrong setting does not start, and says which, why and what to do."""

from typing import Literal

import pytest
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from chassis.config import BadSettings, Settings, load

URL = "postgresql://shop:hunter2@127.0.0.1:5432/shop"


class ShopSettings(Settings):
    """Settings of a shop."""

    model_config = SettingsConfigDict(env_prefix="SHOP_")

    database_url: str = Field(description="where the orders are", examples=["postgresql://…"])
    pool_max: int = Field(10, ge=1, le=100, description="connections of the pool")
    token: SecretStr = Field(SecretStr("0123456789"), min_length=10)
    log_level: Literal["debug", "info"] = Field("info", validation_alias="LOG_LEVEL")

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: str) -> str:
        if not value.startswith("postgresql://"):
            raise ValueError(f"{value} is not the address of a Postgres")
        return value

    @field_validator("token")
    @classmethod
    def _is_no_example(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value().startswith("changeme"):
            raise ValueError(f"{value.get_secret_value()} is the example")
        return value


def test_settings_come_from_the_environment_given() -> None:
    settings = load(ShopSettings, {"SHOP_DATABASE_URL": URL, "SHOP_POOL_MAX": "20", "LOG_LEVEL": "debug"})

    assert (settings.database_url, settings.pool_max, settings.log_level) == (URL, 20, "debug")


def test_the_machines_own_environment_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_POOL_MAX", "99")

    assert load(ShopSettings, {"SHOP_DATABASE_URL": URL}).pool_max == 10


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert load(ShopSettings, {"SHOP_DATABASE_URL": URL, "SHOP_POOL_MAX": ""}).pool_max == 10


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = load(ShopSettings, {"SHOP_DATABASE_URL": URL})

    with pytest.raises(ValidationError, match="frozen"):
        settings.pool_max = 11


def test_a_missing_variable_is_named_with_its_meaning_and_an_example() -> None:
    assert _problems({}) == ["SHOP_DATABASE_URL is not set (where the orders are). Set it, for example postgresql://…."]


def test_a_value_out_of_bounds_is_named_with_the_bound_and_the_cure() -> None:
    [problem] = _problems({"SHOP_DATABASE_URL": URL, "SHOP_POOL_MAX": "0"})

    assert problem == (
        "SHOP_POOL_MAX=0: Input should be greater than or equal to 1 (connections of the pool). "
        "Correct it, or unset it for 10."
    )


def test_a_value_of_the_wrong_kind_is_named() -> None:
    [problem] = _problems({"SHOP_DATABASE_URL": URL, "SHOP_POOL_MAX": "many"})

    assert problem.startswith("SHOP_POOL_MAX=many: Input should be a valid integer")


def test_a_variable_without_the_prefix_is_named_as_it_is_spelled() -> None:
    assert _problems({"SHOP_DATABASE_URL": URL, "LOG_LEVEL": "loud"}) == [
        "LOG_LEVEL=loud: Input should be 'debug' or 'info'. Correct it, or unset it for info."
    ]


def test_everything_that_is_wrong_is_listed_at_once() -> None:
    with pytest.raises(BadSettings) as refusal:
        load(ShopSettings, {"SHOP_POOL_MAX": "0", "LOG_LEVEL": "loud"})

    assert str(refusal.value).splitlines()[0] == "cannot start, the settings are wrong:"
    assert [line.split()[0] for line in str(refusal.value).splitlines()[1:]] == [
        "SHOP_DATABASE_URL",
        "SHOP_POOL_MAX=0:",
        "LOG_LEVEL=loud:",
    ]


@pytest.mark.parametrize("secret", ["short", "changeme-now"])
def test_a_secret_is_never_shown(secret: str) -> None:
    [problem] = _problems({"SHOP_DATABASE_URL": URL, "SHOP_TOKEN": secret})

    assert problem.startswith("SHOP_TOKEN=***: ")
    assert secret not in problem


def test_the_password_inside_an_address_is_never_shown() -> None:
    [problem] = _problems({"SHOP_DATABASE_URL": "mysql://shop:hunter2@127.0.0.1/shop"})

    assert problem.startswith("SHOP_DATABASE_URL=mysql://***@127.0.0.1/shop: ")
    assert "hunter2" not in problem


def test_a_list_that_is_no_json_is_refused_by_name() -> None:
    class Sharded(Settings):
        """Settings with a list."""

        shards: list[str]

    with pytest.raises(BadSettings, match="shards"):
        load(Sharded, {"SHARDS": "a,b"})


def _problems(env: dict[str, str]) -> list[str]:
    with pytest.raises(BadSettings) as refusal:
        load(ShopSettings, env)
    return refusal.value.problems
