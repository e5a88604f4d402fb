"""Pieces that both columns of a page use alike, so that what differs is the sharing."""

from __future__ import annotations

from typing import Any

import dash
import dash_mantine_components as dmc
import pandas as pd
import plotly.graph_objects as go
from dash import Input, Output, callback, dcc, html

from dash_stash.demo import data
from dash_stash.demo.shell import graph, loading


def clicked(identifier: str) -> bool:
    """Whether the running callback was triggered by this button."""
    return bool(dash.ctx.triggered_id == identifier)


def choice(identifier: str, label: str, options: dict[str, str]) -> Any:
    """Return a row of options, of which the first is chosen."""
    return dmc.SegmentedControl(
        id=identifier,
        data=[{"value": value, "label": text} for value, text in options.items()],
        value=next(iter(options)),
        fullWidth=True,
        size="xs",
        mb="sm",
        **{"aria-label": label},
    )


def airport_choice(prefix: str) -> Any:
    """Return the choice of an airport."""
    return choice(f"{prefix}-airport", "Airport", data.AIRPORTS)


def unit_choice(prefix: str) -> Any:
    """Return the choice of a unit of temperature."""
    return choice(f"{prefix}-unit", "Unit", {"F": "°F", "C": "°C"})


def carrier_choice(prefix: str) -> Any:
    """Return the choice of a carrier."""
    return choice(f"{prefix}-carrier", "Carrier", data.CARRIERS)


# Part 0


def like_button(prefix: str) -> Any:
    """Return a button that counts, and what asks all workers again and again."""
    return html.Div(
        [
            dmc.Button("Like", id=f"{prefix}-like", n_clicks=0, variant="light"),
            dcc.Interval(id=f"{prefix}-again", interval=600, max_intervals=200),
            dcc.Store(id=f"{prefix}-answers", data={}),
        ],
    )


def answers(prefix: str) -> Any:
    """Return where the workers' answers are listed."""
    return dmc.Stack(id=f"{prefix}-list", gap=4, mt="md")


def list_answers(seen: dict[str, int]) -> Any:
    """Return what each worker answered since the last like, and whether they agree."""
    rows = [
        dmc.Group(
            [dmc.Text(f"worker {worker}", fz="sm", c="dimmed"), dmc.Text(f"{count} likes", fw=600, className="answer")],
            justify="space-between",
        )
        for worker, count in sorted(seen.items())
    ]
    agree = len(set(seen.values())) <= 1
    verdict = dmc.Text(
        "All say the same." if agree else "They disagree.", c="teal" if agree else "red", fw=600, mt="xs", className="verdict"
    )
    return [*rows, verdict]


for _prefix in ("global-chapter", "global-stash"):
    callback(Output(f"{_prefix}-list", "children"), Input(f"{_prefix}-answers", "data"))(list_answers)


# Part 1


def weather_figure(frame: pd.DataFrame, unit: str) -> go.Figure:
    """Return the daily mean temperature, in the unit that the frame has."""
    days = frame.set_index("time")["temp"].resample("D").mean()
    figure = go.Figure(go.Scatter(x=days.index, y=days.to_numpy(), mode="lines"))
    return figure.update_layout(title=f"Temperature, °{unit}, daily mean")


def weather_rows(frame: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return the five hottest hours."""
    hottest = frame.nlargest(5, "temp")[["time", "temp", "humid", "wind_speed"]].round({"temp": 1, "wind_speed": 1})
    return hottest.rename(columns={"temp": f"°{unit}", "humid": "humidity", "wind_speed": "wind"})


def to_celsius(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert the temperature in place."""
    frame["temp"] = (frame["temp"] - 32) / 1.8
    return frame


# Part 2


def bars(frame: pd.DataFrame, title: str) -> go.Figure:
    """Return the second column of a frame over its first."""
    x, y = frame.columns[:2]
    return go.Figure(go.Bar(x=frame[x], y=frame[y])).update_layout(title=title)


def by(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the mean departure delay per value of a column."""
    return frame.groupby(column)["dep_delay"].mean().reset_index()


# Part 3


def four_graphs(prefix: str) -> Any:
    """Return the four graphs of the chapter's example."""
    names = ("scatter", "spline", "histogram", "contour")
    return loading(dmc.SimpleGrid([graph(f"{prefix}-{name}", 210) for name in names], cols=2, spacing="xs"))


def scatter(frame: pd.DataFrame) -> go.Figure:
    """Return departure against arrival delay."""
    some = frame.iloc[:: max(1, len(frame) // 800)]
    marks = go.Scatter(x=some["dep_delay"], y=some["arr_delay"], mode="markers", marker={"size": 4, "opacity": 0.5})
    return go.Figure(marks).update_layout(title="Arrival over departure delay")


def spline(frame: pd.DataFrame) -> go.Figure:
    """Return the mean delay over the hours of the day."""
    hours = by(frame, "hour")
    line = go.Scatter(x=hours["hour"], y=hours["dep_delay"], line={"shape": "spline"})
    return go.Figure(line).update_layout(title="Delay by hour")


def histogram(frame: pd.DataFrame) -> go.Figure:
    """Return how many flights leave when."""
    counts = frame.pivot_table(index="hour", columns="month", values="distance", aggfunc="count", fill_value=0)
    return go.Figure(go.Heatmap(z=counts.to_numpy(), x=counts.columns, y=counts.index, showscale=False)).update_layout(
        title="Flights by hour and month",
    )


def contour(frame: pd.DataFrame) -> go.Figure:
    """Return the mean delay by hour and month."""
    delays = frame.pivot_table(index="hour", columns="month", values="dep_delay", aggfunc="mean")
    return go.Figure(go.Contour(z=delays.to_numpy(), x=delays.columns, y=delays.index, showscale=False)).update_layout(
        title="Delay by hour and month",
    )


# Part 4


def session_controls(prefix: str) -> Any:
    """Return the button that gets data, the one that shows it again, and the place for it."""
    return [
        dmc.Group(
            [
                dmc.Button("Get data", id=f"{prefix}-get", variant="light"),
                dmc.Button("Show it again", id=f"{prefix}-again", variant="default"),
            ],
            mb="sm",
        ),
        loading(html.Div(id=f"{prefix}-shown", **{"aria-live": "polite"})),
    ]
