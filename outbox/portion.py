"""How many rows to ask for at once: few at first, more while they are small, never more than memory should hold."""

from collections.abc import Sequence

from outbox.rows import PAYLOAD, Row

_ROWS_FIRST = 256
_GROWTH = 4
_SAMPLE_EVERY = 16


class Portion:
    """The next read's bound in rows, learnt from the payloads of the last.

    Args:
        rows_max: never ask for more rows.
        bytes_max: about how much payload one read may bring.
    """

    def __init__(self, *, rows_max: int, bytes_max: int) -> None:
        self._rows_max = rows_max
        self._bytes_max = bytes_max
        self.rows = min(_ROWS_FIRST, rows_max)

    def learn(self, rows: Sequence[Row]) -> None:
        """Take the payload sizes of a read into account."""
        sample = rows[::_SAMPLE_EVERY]
        if not sample:
            return
        mean_bytes = sum(len(row[PAYLOAD]) for row in sample) / len(sample) + 1
        fitting = int(self._bytes_max / mean_bytes)
        self.rows = max(1, min(self.rows * _GROWTH, fitting, self._rows_max))
