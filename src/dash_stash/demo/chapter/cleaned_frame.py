"""A cleaned frame as JSON in the browser, parsed again by each callback that needs it."""

from __future__ import annotations

import io

import pandas as pd
from dash import Input, Output, callback, dcc, html

from dash_stash.demo.data import query_weather
from dash_stash.demo.measure import counted
from dash_stash.demo.pages import airport_choice, to_celsius, unit_choice, weather_figure, weather_rows
from dash_stash.demo.shell import graph, loading, table


@counted("frame-chapter")
def cleaned(airport):
    return query_weather(airport).dropna()


@callback(Output("frame-chapter-data", "data"), Input("frame-chapter-airport", "value"))
def clean(airport):
    return cleaned(airport).to_json(date_format="iso", orient="split")


@callback(Output("frame-chapter-graph", "figure"), Input("frame-chapter-data", "data"), Input("frame-chapter-unit", "value"))
def draw(text, unit):
    frame = pd.read_json(io.StringIO(text), orient="split", convert_dates=["time"])
    return weather_figure(to_celsius(frame) if unit == "C" else frame, unit)


@callback(Output("frame-chapter-table", "children"), Input("frame-chapter-data", "data"), Input("frame-chapter-unit", "value"))
def tabulate(text, unit):
    frame = pd.read_json(io.StringIO(text), orient="split", convert_dates=["time"])
    return table(weather_rows(to_celsius(frame) if unit == "C" else frame, unit))


def layout():
    return [
        airport_choice("frame-chapter"),
        unit_choice("frame-chapter"),
        dcc.Store(id="frame-chapter-data"),
        loading(graph("frame-chapter-graph"), html.Div(id="frame-chapter-table")),
    ]


def forget():
    """Nothing is kept outside the browser."""
