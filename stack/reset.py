"""Starting from nothing: what a home holds is listed, then deleted. Nothing but what the stack made is touched."""

import shutil
from pathlib import Path

from stack.home import Home


def doomed(home: Home) -> list[tuple[Path, int]]:
    """What would be deleted, with its size in bytes."""
    return [(path, _size(path)) for path in _ours(home) if path.exists()]


def delete(home: Home) -> None:
    """Delete it. Call only while nothing runs."""
    for path in _ours(home):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _ours(home: Home) -> tuple[Path, ...]:
    return (home.data, home.logs, home.run, home.state_file, home.passwords_file, home.external_file, home.lock_file)


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
