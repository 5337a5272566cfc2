"""What reads the order events, in `make bench` in its shortest form: the parts run, they report, nothing is lost."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CLOSING = {"sender", "sender-three", "notification", "notification-10000-a-minute", "projection", "projection-plain"}


@pytest.mark.faults
def test_the_notification_parts_run_report_and_lose_nothing(tmp_path: Path) -> None:
    short = ["--repeat=1", "--messages=20", "--rows=10000", "--contestants=ours", f"--results={tmp_path}"]

    ran = subprocess.run(  # noqa: S603 - our own argv
        [sys.executable, "-m", "bench", "sender", "notification", "projection", *short],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert {line.split()[1] for line in ran.stdout.splitlines() if line.startswith("bench: ")} == CLOSING, ran.stdout
