"""The picture: what a warm hit takes, by contender."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from bench.hits import OURS
from bench.report import Section, duration

_BLUE, _GREY, _INK, _PALE = "#1c7ed6", "#ced4da", "#212529", "#868e96"
_TICKS = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0]


def draw(sections: Sequence[Section], facts: dict[str, str], path: pathlib.Path) -> None:
    """Draw the hits that were measured against others, as bars on one logarithmic scale.

    Nothing if there are none.
    """
    shown = [section for section in sections if OURS in section.times and len(section.times) > 2]
    if not shown:
        return
    heights = [len(section.times) + 1 for section in shown]
    size = 8.4, 0.34 * sum(heights) + 0.7
    figure, axes = plt.subplots(
        len(shown),
        1,
        figsize=size,
        height_ratios=heights,
        layout="constrained",
        squeeze=False,
        sharex=True,
        facecolor="white",
    )
    for section, axis in zip(shown, axes[:, 0], strict=True):
        _bars(section, axis)
    axes[-1, 0].set_xticks(_TICKS, [duration(tick) for tick in _TICKS], color=_PALE, fontsize=8)
    where = f"{facts['processor']}, {facts['folder']}, Python {facts['python']}"
    figure.supxlabel(
        f"median time of a call, interleaved, logarithmic scale ({where})", fontsize=8, color=_PALE
    )
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _bars(section: Section, axis: Axes) -> None:
    medians = sorted(
        ((spread.median, name) for name, spread in section.times.items()), reverse=True
    )
    ours = section.times[OURS].median
    names = [name for _, name in medians]
    axis.set_xscale("log")
    axis.set_xlim(_TICKS[0], 20 * _TICKS[-1])  # the longest bar's label has room
    bars = axis.barh(
        names,
        [median for median, _ in medians],
        color=[_BLUE if name == OURS else _GREY for name in names],
        height=0.7,
    )
    labels = [
        duration(median) + ("" if name == OURS else f"   {_digits(median / ours)} times")
        for median, name in medians
    ]
    axis.bar_label(bars, labels, padding=4, fontsize=9, color=_INK)
    axis.set_title(section.title, loc="left", fontsize=11, fontweight="bold", color=_INK)
    axis.grid(axis="x", color="#f1f3f5")
    axis.set_axisbelow(True)
    axis.tick_params(axis="both", which="both", length=0, labelsize=10, labelcolor=_INK)
    axis.spines[:].set_visible(False)


def _digits(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"
