"""The Dockerfile as a test reads it: stages, what each stands on, what it copies, who it runs as and what it runs."""

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.containers.compose import ROOT


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM with what follows it."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def copied(self) -> Iterator[str]:
        """What it copies from the checkout, not from another stage."""
        for keyword, rest in self.instructions:
            if keyword == "COPY" and not rest.startswith("--from="):
                yield from rest.split()[:-1]


def stages() -> Mapping[str, Stage]:
    """Every stage by its name, in the order of the file."""
    found: dict[str, Stage] = {}
    current: Stage | None = None
    for keyword, rest in _instructions():
        if keyword == "FROM":
            base, _, name = rest.partition(" AS ")
            current = found[name] = Stage(name, base)
        elif current is not None:
            current.instructions.append((keyword, rest))
    return found


def line_of(name: str) -> list[Stage]:
    """The stages that make up an image, the first first."""
    every = stages()
    line = [every[name]]
    while line[0].base in every:
        line.insert(0, every[line[0].base])
    return line


def final_stages() -> set[str]:
    """Those nothing else is built from."""
    every = stages()
    taken_from = {each.base for each in every.values()}
    taken_from |= {
        name for each in every.values() for _, rest in each.instructions for name in re.findall(r"--from=(\S+)", rest)
    }
    return set(every) - taken_from


def last_said(name: str, keyword: str) -> str:
    """What the image was told last by this instruction; empty if nothing."""
    said = [rest for stage in line_of(name) for word, rest in stage.instructions if word == keyword]
    return said[-1] if said else ""


def program(name: str, command: list[str] | None) -> list[str]:
    """What a container of this image runs, with its own command or with the image's."""
    entry = json.loads(last_said(name, "ENTRYPOINT") or "[]")
    return [*entry, *(command if command is not None else json.loads(last_said(name, "CMD") or "[]"))]


def seen_by_a_build(path: str) -> bool:
    """The last line of .dockerignore that fits decides; `!` lets in what it names and what lies below."""
    seen = True
    for line in _ignoring():
        pattern = line.removeprefix("!").removeprefix("**/")
        if pattern == "*" or fnmatch.fnmatch(path, pattern) or path.startswith(f"{pattern}/"):
            seen = line.startswith("!")
    return seen


def _instructions() -> Iterator[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    for line in filter(None, map(str.strip, lines.splitlines())):
        keyword, _, rest = line.partition(" ")
        yield keyword, " ".join(rest.split())


def _ignoring() -> Iterator[str]:
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            yield line
