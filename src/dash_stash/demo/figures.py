"""The figures of both columns.

Their colours for light and for dark paper are the style sheet's (assets/gallery.css).
"""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import plotly.io

_MONTHS = {"tickvals": [1, 4, 7, 10], "ticktext": ["Jan", "Apr", "Jul", "Oct"]}

# From next to nothing, on whatever paper, to the accent and beyond.
_SCALE = [[0, "rgba(76,110,245,.06)"], [0.35, "#748ffc"], [0.7, "#7950f2"], [1, "#e64980"]]
plotly.io.templates["gallery"] = go.layout.Template(
    layout={
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "Inter, ui-sans-serif, system-ui, sans-serif", "size": 11},
        "colorway": ["#4c6ef5", "#f76707", "#12b886"],
        "xaxis": {"automargin": True, "zeroline": False},
        "yaxis": {"automargin": True, "zeroline": False},
        "margin": {"l": 36, "r": 8, "t": 32, "b": 24},
        "title": {
            "font": {"size": 13},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "pad": {"l": 4},
        },
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        "bargap": 0.25,
    },
    data={"heatmap": [{"colorscale": _SCALE}], "contour": [{"colorscale": _SCALE}]},
)
plotly.io.templates.default = "gallery"

EMPTY = go.Figure(layout={"xaxis": {"visible": False}, "yaxis": {"visible": False}})


def temperature(frame: pd.DataFrame, unit: str) -> go.Figure:
    """Draw the daily mean, in the unit that the frame has."""
    days = frame.set_index("time")["temp"].resample("D").mean()
    line = go.Scatter(x=days.index, y=days.to_numpy(), line={"width": 1.5})
    return go.Figure(line).update_layout(
        title=f"Temperature in °{unit}, daily mean", xaxis_tickformat="%b"
    )


def delays(frame: pd.DataFrame, title: str) -> go.Figure:
    """Draw the second column of a frame over its first."""
    x, y = frame.columns[:2]
    return go.Figure(go.Bar(x=frame[x], y=frame[y])).update_layout(title=title)


def delay_by_day(frame: pd.DataFrame) -> go.Figure:
    """Draw the mean delay of each day of the year, a line for each airport."""
    figure = go.Figure()
    for airport, days in frame.groupby("origin"):
        figure.add_scatter(
            x=days["date"], y=days["dep_delay"], name=str(airport), line={"width": 1}
        )
    return figure.update_layout(title="Mean delay by day, minutes", xaxis_tickformat="%b")


def scatter(frame: pd.DataFrame) -> go.Figure:
    """Draw the delay at arrival by that at departure, for some 800 of the flights."""
    some = frame.iloc[:: max(1, len(frame) // 800)]
    marks = go.Scatter(
        x=some["dep_delay"], y=some["arr_delay"], mode="markers", marker={"size": 4, "opacity": 0.5}
    )
    return go.Figure(marks).update_layout(title="Arrival by departure")


def spline(frame: pd.DataFrame) -> go.Figure:
    """Draw the mean delay over the hours of the day."""
    hours = frame.groupby("hour")["dep_delay"].mean()
    line = go.Scatter(x=hours.index, y=hours.to_numpy(), line={"shape": "spline"})
    return go.Figure(line).update_layout(title="Delay by hour")


def histogram(frame: pd.DataFrame) -> go.Figure:
    """Draw the 2-D histogram of when flights leave.

    Counted here, so that the browser gets the counts, not the flights.
    """
    counts = frame.pivot_table(
        index="hour", columns="month", values="distance", aggfunc="count", fill_value=0
    )
    cells = go.Heatmap(z=counts.to_numpy(), x=counts.columns, y=counts.index, showscale=False)
    return go.Figure(cells).update_layout(title="Flights by month", xaxis=_MONTHS)


def contour(frame: pd.DataFrame) -> go.Figure:
    """Draw the mean delay by hour and month."""
    means = frame.pivot_table(index="hour", columns="month", values="dep_delay", aggfunc="mean")
    lines = go.Contour(
        z=means.to_numpy(),
        x=means.columns,
        y=means.index,
        showscale=False,
        connectgaps=True,
        line_width=0,
    )
    return go.Figure(lines).update_layout(title="Delay by month", xaxis=_MONTHS)


def sampled(frame: pd.DataFrame) -> go.Figure:
    """Draw the delay of each of a few flights."""
    bars = go.Bar(x=frame["carrier"] + frame["flight"].astype(str), y=frame["dep_delay"])
    return go.Figure(bars).update_layout(title="Departure delay, minutes", xaxis_tickangle=-60)
