"""Whether a step of preparation must be done again: only if what it is made from has changed since it was done here."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def fingerprint(sources: Iterable[Path], *facts: str) -> str:
    """One hash over the named facts and the contents of files, and of folders' .py, .sql, .json and .yaml files."""
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(fact.encode() + b"\0")
    for path in sorted(file for source in sources for file in _files(source)):
        digest.update(path.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


class Marker:
    """The fingerprint of what was done last, kept beside the data it was done to: it goes when the data goes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def says(self, wanted: str) -> bool:
        """Whether the step with this fingerprint was done."""
        return self._path.is_file() and self._path.read_text(encoding="utf-8").strip() == wanted

    def write(self, done: str) -> None:
        """Note that it is done."""
        self._path.write_text(done + "\n", encoding="utf-8")


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    kinds = {".py", ".sql", ".json", ".yaml"}
    return [path for path in source.rglob("*") if path.suffix in kinds and path.is_file()]
