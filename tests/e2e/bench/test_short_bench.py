"""Every part of `make bench` in its shortest form, without Debezium: it runs, it reports, and ours loses nothing."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PARTS = ("latency", "drain", "commits", "inbox", "held", "takeover")
CLOSING = {
    "latency-1000-p50-classic",
    "latency-1000-p99-classic",
    "floor-p50",
    "floor-p99",
    "drain-producer",
    "drain-classic",
    "commits",
    "wake",
    "notify-inside",
    "inbox",
    "held-ours",
    "held-classic",
    "held-ours-cpu",
    "takeover-killed",
    "takeover-graceful",
}


ORDERS = {"orders", "orders-grpc", "orders-http"}
CART = {
    "cart-per-cpu-second",
    "cart-p95",
    "cart-memory",
    "cart-1000-answered",
    "cart-1000-p95-ms",
    "cart-granian",
    "cart-granian-p95",
}
NOTIFICATION = {"notification", "notification-10000-a-minute"}


@pytest.mark.faults
@pytest.mark.parametrize(
    ("parts", "closing"),
    [(PARTS, CLOSING), (("orders",), ORDERS), (("cart",), CART), (("notification",), NOTIFICATION)],
    ids=["outbox and inbox", "orders", "cart", "notification"],
)
def test_every_part_runs_reports_and_loses_nothing(tmp_path: Path, parts: Sequence[str], closing: set[str]) -> None:
    short = ["--seconds=0.5", "--warm-seconds=0", "--repeat=1", "--rates=1000", "--rows=5000", "--held-seconds=2"]
    short.append("--takeovers=1")
    peers = "--contestants=ours,floor,classic,producer"

    ran = subprocess.run(  # noqa: S603 - our own argv
        [sys.executable, "-m", "bench", *parts, *short, peers, f"--results={tmp_path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = {line.split()[1] for line in ran.stdout.splitlines() if line.startswith("bench: ")}
    assert told >= closing, ran.stdout
    [written] = tmp_path.glob("*.json")
    assert json.loads(written.read_text())["wrong"] == []
    assert written.with_suffix(".png").stat().st_size > 0
