"""docker-compose.yml as a test reads it: anchors resolved, variables filled in from an environment."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / ".env.example"
_NAMED = re.compile(r"\$\{([A-Z][A-Z0-9_]*)")
_VARIABLE = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)(?::(?P<how>[-?])(?P<rest>.*))?", re.DOTALL)


class VariableMissing(Exception):
    """The file insists on a variable the environment does not have."""


def written() -> dict[str, Any]:
    """The file with its anchors resolved and its variables as they are written."""
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8")))


def filled(environment: Mapping[str, str]) -> dict[str, Any]:
    """The file as `docker compose` would read it with this environment, for what we use of its language."""
    return dict(_filled(written(), environment))


def variables() -> set[str]:
    """Every variable the file names."""
    return set(_NAMED.findall((ROOT / "docker-compose.yml").read_text(encoding="utf-8")))


def example() -> dict[str, str]:
    """What a copy of .env.example sets: its lines that are no comments."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]", line))


def defaults() -> Iterator[tuple[str, str]]:
    """Every variable with each default the file gives it, as written."""
    for text in _texts(written()):
        yield from _defaults_in(text)


def expand(text: str, environment: Mapping[str, str]) -> str:
    """The text with ${NAME}, ${NAME:-otherwise}, ${NAME:?message} and $$ replaced; an empty value counts as none."""
    parts: list[str] = []
    place = 0
    while place < len(text):
        if text.startswith("$$", place):
            parts.append("$")
            place += 2
        elif text.startswith("${", place):
            end = _closing(text, place + 2)
            parts.append(_value(text[place + 2 : end], environment))
            place = end + 1
        else:
            parts.append(text[place])
            place += 1
    return "".join(parts)


def _filled(node: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, environment) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, environment) for value in node]
    return expand(node, environment) if isinstance(node, str) else node


def _value(inside: str, environment: Mapping[str, str]) -> str:
    matched = _VARIABLE.fullmatch(inside)
    if matched is None:
        raise ValueError(f"${{{inside}}} is not one of the forms we use")
    if value := environment.get(matched["name"], ""):
        return value
    if matched["how"] == "?":
        raise VariableMissing(matched["name"], matched["rest"])
    return expand(matched["rest"] or "", environment)


def _closing(text: str, place: int) -> int:
    """Where the brace that was opened before `place` is closed."""
    depth = 1
    while depth:
        if text.startswith("${", place):
            depth += 1
            place += 1
        elif text[place] == "}":
            depth -= 1
        place += 1
    return place - 1


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _texts(each)


def _defaults_in(text: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"\$\{", text):
        inside = text[found.end() : _closing(text, found.end())]
        matched = _VARIABLE.fullmatch(inside)
        if matched is not None and matched["how"] == "-":
            yield matched["name"], matched["rest"]
