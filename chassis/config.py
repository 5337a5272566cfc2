"""Settings: environment variables read once, at the door, into one frozen and bounded object.

A process that would start with a wrong setting does not start: `BadSettings` lists every wrong variable at once, each
with its value (secrets masked), the bound it breaks and what to do. `__main__` prints it and exits with `EXIT_USAGE`.
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, SettingsError

EXIT_USAGE = 2

Loaded = TypeVar("Loaded", bound=BaseSettings)

_MASK = "***"
_USERINFO = re.compile(r"(?<=://)[^/@\s]*(?=@)")
"""User and password of an address such as postgresql://user:password@host/name."""


class Settings(BaseSettings):
    """A frozen object of settings; set `env_prefix` with `model_config = SettingsConfigDict(env_prefix="LOMS_")`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class BadSettings(Exception):
    """Some settings are missing or out of bounds; `problems` holds one line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["cannot start, the settings are wrong:", *(f"  {line}" for line in problems)]))
        self.problems = problems


def load(settings: type[Loaded], env: Mapping[str, str] = os.environ) -> Loaded:
    """Read `settings` from `env` alone; raise `BadSettings` naming everything that is wrong with it."""
    source = EnvSettingsSource(settings, env_ignore_empty=True)
    source.env_vars = {name.lower(): value for name, value in env.items() if value != ""}
    try:
        return settings(_build_sources=((source,), {}))
    except ValidationError as error:
        raise BadSettings(list(_problems(settings, error.errors(), env))) from None
    except SettingsError as error:
        raise BadSettings([str(error)]) from None


def _problems(settings: type[BaseSettings], errors: list[ErrorDetails], env: Mapping[str, str]) -> Iterator[str]:
    for error in errors:
        name, field = _variable(settings, str(error["loc"][0]) if error["loc"] else "")
        if field is None:
            yield error["msg"]
        elif error["type"] == "missing":
            yield f"{name} is not set{_meaning(field)}. Set it{_example(field)}."
        else:
            yield _wrong(name, field, error, env.get(name, ""))


def _variable(settings: type[BaseSettings], location: str) -> tuple[str, FieldInfo | None]:
    """Return the environment variable and the field an error speaks of."""
    prefix = settings.model_config.get("env_prefix", "")
    for field_name, field in settings.model_fields.items():
        if location in {field_name, field.validation_alias}:
            alias = field.validation_alias
            return (alias if isinstance(alias, str) else f"{prefix}{field_name}").upper(), field
    return location, None


def _wrong(name: str, field: FieldInfo, error: ErrorDetails, raw: str) -> str:
    bound = error["msg"]
    if _is_secret(field):
        shown, bound = _MASK, bound.replace(raw, _MASK) if raw else bound
    else:
        shown, bound = _USERINFO.sub(_MASK, raw), _USERINFO.sub(_MASK, bound)
    return f"{name}={shown}: {bound}{_meaning(field)}. Correct it{_or_default(field)}."


def _is_secret(field: FieldInfo) -> bool:
    kinds: set[Any] = {field.annotation, *get_args(field.annotation)}
    return bool(kinds & {SecretStr, SecretBytes})


def _meaning(field: FieldInfo) -> str:
    return f" ({field.description})" if field.description else ""


def _example(field: FieldInfo) -> str:
    return f", for example {field.examples[0]}" if field.examples else ""


def _or_default(field: FieldInfo) -> str:
    if field.is_required():
        return _example(field)
    default = field.get_default(call_default_factory=False)
    return "" if default in {None, PydanticUndefined} or _is_secret(field) else f", or unset it for {default}"
