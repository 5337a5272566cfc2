"""Three times the changes, the same memory: what a window costs is disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
GROWTH_MB_MAX = 25
"""Held in memory, the other 40,000 changes would take some 70 MB."""


def measured(changes: int) -> dict[str, Any]:
    """A run of its own process, so that its peak is its own."""
    command = [sys.executable, "-m", "tests.measured.judged", str(changes)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def test_memory_does_not_grow_with_the_window_and_the_planted_loss_is_found() -> None:
    small, large = measured(19_998), measured(60_000)

    assert large["peak_mb"] - small["peak_mb"] < GROWTH_MB_MAX
    assert large["matched"] == [60_000, 59_999, 60_000, 60_000]
    assert small["found"] == large["found"] == {"lost before Kafka": 1}
