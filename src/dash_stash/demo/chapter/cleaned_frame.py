"""A cleaned frame as JSON in the browser, parsed again by each callback that needs it."""

from __future__ import annotations

import io

import pandas as pd
from dash import Input, Output, callback, dcc

from dash_stash.demo.data import query_weather
from dash_stash.demo.figures import temperature
from dash_stash.demo.widgets import (
    airport_choice,
    graph,
    hottest,
    loading,
    place,
    unit_choice,
)


@callback(
    Output("frame-chapter-data", "data"),
    Input("frame-chapter-airport", "value"),
)
def clean(airport):
    frame = query_weather(airport).dropna()
    return frame.to_json(date_format="iso", orient="split")


def in_unit(text, unit):
    frame = pd.read_json(
        io.StringIO(text),
        orient="split",
        convert_dates=["time"],
    )
    if unit == "C":
        frame["temp"] = (frame["temp"] - 32) / 1.8
    return frame


@callback(
    Output("frame-chapter-graph", "figure"),
    Input("frame-chapter-data", "data"),
    Input("frame-chapter-unit", "value"),
)
def draw(text, unit):
    return temperature(in_unit(text, unit), unit)


@callback(
    Output("frame-chapter-table", "children"),
    Input("frame-chapter-data", "data"),
    Input("frame-chapter-unit", "value"),
)
def tabulate(text, unit):
    return hottest(in_unit(text, unit), unit)


def layout():
    return [
        airport_choice("frame-chapter-airport"),
        unit_choice("frame-chapter-unit"),
        loading(
            dcc.Store(id="frame-chapter-data"),
            graph("frame-chapter-graph"),
            place("frame-chapter-table"),
        ),
    ]
