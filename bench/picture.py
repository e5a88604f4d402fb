"""The picture: what a warm hit takes, by contender."""

from __future__ import annotations

import pathlib

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

from bench.measure import Row


def draw(rows: list[Row], facts: dict[str, str], path: pathlib.Path) -> None:
    """Draw the rows that have times as bars on a logarithmic scale."""
    shown = [row for row in rows if row.times and row.what.startswith("warm hit")]
    if not shown:
        return
    heights = [len(row.times) for row in shown]
    figure, axes = plt.subplots(
        len(shown), 1, figsize=(8, 1.1 + 0.42 * sum(heights) + 0.5 * len(shown)), height_ratios=heights, layout="constrained", squeeze=False
    )
    for row, axis in zip(shown, axes[:, 0], strict=True):
        names = sorted(row.times, key=lambda name: -row.times[name])
        values = [row.times[name] * 1e6 for name in names]
        bars = axis.barh(names, values, color=["#228be6" if name == "dash-stash" else "#ced4da" for name in names])
        axis.bar_label(bars, [f" {value:,.0f} µs" if value >= 100 else f" {value:,.1f} µs" for value in values], fontsize=8)
        axis.set_xscale("log")
        axis.set_title(row.what, loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.15)
    figure.supxlabel(f"microseconds, logarithmic; median of interleaved rounds; {facts['processor']}", fontsize=7)
    figure.savefig(path, dpi=150)
    plt.close(figure)
