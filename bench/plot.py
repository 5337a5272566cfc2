"""The picture of a run: latency by rate, drains, take-overs, and every ratio with its spread."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.findings import Findings
from bench.ratios import Ratio

_LABELS: Mapping[str, str] = {
    "ours": "onelane",
    "tuned": "Debezium, tuned",
    "classic": "status column",
    "default": "Debezium, as shipped",
    "producer": "bare producer",
}
_COLOURS: Mapping[str, str] = {
    "ours": "#1b7f5c",
    "tuned": "#c8553d",
    "classic": "#8d99ae",
    "default": "#e0a890",
    "producer": "#3d405b",
}
_INCHES = (15, 4.5)


def draw(parts: Sequence[Findings], path: Path) -> None:
    """Write the picture as PNG."""
    figure = Figure(figsize=_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    left, middle, narrow, right = figure.subplots(1, 4, width_ratios=(5, 3, 2, 4))
    by_name = {part.part: part for part in parts}
    _draw_latency(left, by_name.get("latency", Findings("latency")))
    _draw_drain(middle, by_name.get("drain", Findings("drain")))
    _draw_takeover(narrow, by_name.get("takeover", Findings("takeover")))
    _draw_ratios(right, [each for part in parts if part.part != "takeover" for each in part.ratios])
    figure.savefig(path, dpi=110)


def _draw_latency(axes: Axes, found: Findings) -> None:
    axes.set_title("commit → consumed: p50 (solid), p99 (dashed)")
    for name in ("ours", "tuned", "classic"):
        rates = sorted({row["rate"] for row in found.rows if row["contestant"] == name})
        for column, style in (("p50_ms", "-"), ("p99_ms", "--")):
            middles = [statistics.median(found.column(column, contestant=name, rate=rate)) for rate in rates]
            label = _LABELS[name] if style == "-" else None
            axes.plot(rates, middles, style, marker="o", color=_COLOURS[name], label=label)
    axes.set_xlabel("events per second")
    axes.set_ylabel("milliseconds")
    axes.set_ylim(bottom=0)
    if found.rows:
        axes.legend()


def _draw_drain(axes: Axes, found: Findings) -> None:
    axes.set_title("drain of a backlog, thousand/s")
    names = [name for name in _LABELS if found.column("per_second", contestant=name)]
    rates = [statistics.median(found.column("per_second", contestant=name)) / 1_000 for name in names]
    bars = axes.bar([_LABELS[name].replace(" ", "\n") for name in names], rates, color=[_COLOURS[n] for n in names])
    axes.bar_label(bars, fmt="%.0f")
    axes.tick_params(axis="x", labelsize=7)


def _draw_takeover(axes: Axes, found: Findings) -> None:
    axes.set_title("take-over, seconds")
    for place, each in enumerate(found.ratios):
        axes.scatter([place] * len(each.values), each.values, color=_COLOURS["ours"], alpha=0.6)
    axes.set_xticks(range(len(found.ratios)), [each.name.removeprefix("takeover-") for each in found.ratios])
    axes.set_xlim(-0.5, max(0.5, len(found.ratios) - 0.5))
    axes.set_ylim(bottom=0)


def _draw_ratios(axes: Axes, ratios: Sequence[Ratio]) -> None:
    axes.set_title("ratios, with their spread")
    shown: list[Any] = list(reversed(ratios))
    middles = [each.middle for each in shown]
    below = [each.middle - min(each.values) for each in shown]
    above = [max(each.values) - each.middle for each in shown]
    axes.errorbar(middles, range(len(shown)), xerr=(below, above), fmt="o", color=_COLOURS["ours"], capsize=3)
    axes.set_yticks(range(len(shown)), [each.name for each in shown], fontsize=7)
    axes.axvline(1, color="#8d99ae", linewidth=1)
    if shown:
        axes.set_xscale("log")
