"""The alarm: versions of a key leave the relay as 1, 2, 3 …, and every other step is counted.

Only a bounded number of recent keys is remembered; a key met again after it was forgotten is believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from outbox.rows import KEY, TOPIC, VERSION, Row

_KEYS_REMEMBERED = 100_000
_SAMPLES_MAX = 5


@dataclass(frozen=True, slots=True)
class Steps:
    """What a batch's versions did other than rise by one.

    Attributes:
        gaps: how many skipped one.
        inversions: how many went back.
        samples: the first few of both, `orders/42: 5 after 3`.
    """

    gaps: int = 0
    inversions: int = 0
    samples: tuple[str, ...] = field(default=(), compare=False)


class VersionAlarm:
    """The last acknowledged version of recent keys."""

    def __init__(self, keys_max: int = _KEYS_REMEMBERED) -> None:
        self._keys_max = keys_max
        self._last: dict[str, dict[str, int]] = {}

    def acknowledged(self, rows: Sequence[Row]) -> Steps:
        """Take the versions of acknowledged rows into account."""
        gaps = inversions = 0
        samples: list[str] = []
        for row in rows:
            version = row[VERSION]
            if version is None:
                continue
            last, key = self._of_topic(row[TOPIC]), row[KEY]
            before = last.get(key)
            last[key] = version
            if before is None or version == before + 1:
                continue
            if len(samples) < _SAMPLES_MAX:
                samples.append(f"{row[TOPIC]}/{key}: {version} after {before}")
            if version > before:
                gaps += 1
            else:
                inversions += 1
        self._forget_oldest()
        return Steps(gaps, inversions, tuple(samples))

    def _of_topic(self, topic: str) -> dict[str, int]:
        known = self._last.get(topic)
        if known is None:
            known = self._last[topic] = {}
        return known

    def _forget_oldest(self) -> None:
        for topic, last in self._last.items():
            if len(last) > self._keys_max:
                self._last[topic] = dict(list(last.items())[-self._keys_max // 2 :])
