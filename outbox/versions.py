"""The alarm: versions of a key leave the relay as 1, 2, 3 …, and every other step is counted.

Only a bounded number of recent keys is remembered; a key met again after it was forgotten is believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from outbox.rows import KEY, TOPIC, VERSION, Row

_KEYS_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class Steps:
    """What a batch's versions did other than rise by one."""

    gaps: int = 0
    inversions: int = 0


class VersionAlarm:
    """The last acknowledged version of recent keys."""

    def __init__(self, keys_max: int = _KEYS_REMEMBERED) -> None:
        self._keys_max = keys_max
        self._last: dict[tuple[str, str], int] = {}

    def acknowledged(self, rows: Sequence[Row]) -> Steps:
        """Take the versions of acknowledged rows into account."""
        gaps = inversions = 0
        last = self._last
        for row in rows:
            version = row[VERSION]
            if version is None:
                continue
            key = (row[TOPIC], row[KEY])
            before = last.get(key, version - 1)
            if version > before + 1:
                gaps += 1
            elif version <= before:
                inversions += 1
            last[key] = version
        if len(last) > self._keys_max:
            self._forget_oldest()
        return Steps(gaps, inversions)

    def _forget_oldest(self) -> None:
        kept = list(self._last.items())[-self._keys_max // 2 :]
        self._last = dict(kept)
