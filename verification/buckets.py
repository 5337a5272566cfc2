"""Bytes in many places, of which memory holds the newest few kilobytes each: what grows goes to a file of its own."""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

BUFFER_BYTES_DEFAULT: Final = 8_192

Place = TypeVar("Place")


class Buckets(Generic[Place]):
    """Append anywhere, then take each place once. `close` removes the files."""

    def __init__(self, buffer_bytes: int | None = None) -> None:
        self._buffer_bytes = buffer_bytes or BUFFER_BYTES_DEFAULT
        self._buffers: defaultdict[Place, bytearray] = defaultdict(bytearray)
        self._files: dict[Place, Path] = {}
        self._names = count()
        self._folder = TemporaryDirectory(prefix="onelane-verify-")

    def add(self, place: Place, packed: bytes) -> None:
        """Append to a place."""
        buffer = self._buffers[place]
        buffer += packed
        if len(buffer) >= self._buffer_bytes:
            self._write(place, buffer)

    def places(self) -> Iterator[Place]:
        """Give every place that has anything, in no order."""
        yield from self._buffers.keys() | self._files.keys()

    def take(self, place: Place) -> bytes:
        """Give all of a place, in the order it was appended, and forget it."""
        path = self._files.pop(place, None)
        written = b"" if path is None else path.read_bytes()
        if path is not None:
            path.unlink()
        return written + bytes(self._buffers.pop(place, b""))

    def close(self) -> None:
        """Remove what was not taken."""
        self._folder.cleanup()

    def _write(self, place: Place, buffer: bytearray) -> None:
        path = self._files.get(place)
        if path is None:
            path = self._files[place] = Path(self._folder.name) / str(next(self._names))
        with path.open("ab") as file:
            file.write(buffer)
        buffer.clear()
