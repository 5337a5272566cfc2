"""Which variables the processes of the services read."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from chassis.config import Settings

ROOT = Path(__file__).resolve().parents[1]
SETTINGS_MODULES = sorted(f"services.{path.parent.name}.settings" for path in (ROOT / "services").glob("*/settings.py"))


def settings_classes(module: str) -> Mapping[str, type[Settings]]:
    """The settings a module defines, by class name."""
    return {
        name: item
        for name, item in vars(import_module(module)).items()
        if isinstance(item, type) and issubclass(item, Settings) and item.__module__ == module
    }


def variables_of(settings: type[Settings]) -> Iterator[str]:
    """The variables one object is read from."""
    prefix = str(settings.model_config.get("env_prefix", ""))
    for field, info in settings.model_fields.items():
        yield str(info.validation_alias or f"{prefix}{field}".upper())
