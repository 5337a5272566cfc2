"""The command groups: every module of this package whose docstring opens with ``onelane <its name>:`` is one.

Such a module exposes ``app``, a ``typer.Typer``; the rest of its docstring's first line is the help of the group.
A group is imported when it is called, never for ``onelane --help``.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer.core
import typer.main

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIRST_LINE = re.compile(r'"""onelane (?P<name>[a-z]+): (?P<help>.+?)(?:"""|\n|$)')
_HEAD_CHARACTERS = 400


def group_helps(folder: Path = Path(__file__).parent) -> Mapping[str, str]:
    """Name and one line of help of every group in ``folder``, by name, without importing one."""
    heads = {path.stem: _head(path) for path in sorted(folder.glob("*.py"))}
    found = {name: _FIRST_LINE.match(head) for name, head in heads.items()}
    return {name: line["help"] for name, line in found.items() if line and line["name"] == name}


class LateGroup(typer.core.TyperGroup):
    """A group whose sub-groups are names with a line of help until one of them is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._late = {name: text for name, text in group_helps().items() if name not in self.commands}
        for name, text in self._late.items():
            self.commands[name] = typer.core.TyperGroup(name=name, help=text)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the group that is called, then resolve as ever."""
        if args and self._late.pop(args[0], None) is not None:
            self.commands[args[0]] = typer.main.get_command(import_module(f"cli.{args[0]}").app)
        return super().resolve_command(ctx, args)


def _head(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read(_HEAD_CHARACTERS)
