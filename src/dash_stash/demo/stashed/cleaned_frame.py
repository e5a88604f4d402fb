"""A cleaned frame that stays on the server; the browser passes a reference on."""

from __future__ import annotations

from dash import Input, Output, callback, dcc

from dash_stash.demo.base import stash
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


@stash.memo
def cleaned(airport):
    return query_weather(airport).dropna()


@callback(
    Output("frame-stash-data", "data"),
    Input("frame-stash-airport", "value"),
)
def clean(airport):
    return cleaned.ref(airport)


def in_unit(frame, unit):
    if unit == "C":
        # This callback's own copy changes.
        frame["temp"] = (frame["temp"] - 32) / 1.8
    return frame


@callback(
    Output("frame-stash-graph", "figure"),
    Input("frame-stash-data", "data"),
    Input("frame-stash-unit", "value"),
)
def draw(frame, unit):
    return temperature(in_unit(frame, unit), unit)


@callback(
    Output("frame-stash-table", "children"),
    Input("frame-stash-data", "data"),
    Input("frame-stash-unit", "value"),
)
def tabulate(frame, unit):
    return hottest(in_unit(frame, unit), unit)


def layout():
    return [
        airport_choice("frame-stash-airport"),
        unit_choice("frame-stash-unit"),
        loading(
            dcc.Store(id="frame-stash-data"),
            graph("frame-stash-graph"),
            place("frame-stash-table"),
        ),
    ]
