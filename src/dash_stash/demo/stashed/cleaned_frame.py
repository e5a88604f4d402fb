"""A cleaned frame that stays on the server; the browser passes a reference on."""

from __future__ import annotations

from dash import Input, Output, callback, dcc, html

from dash_stash.demo.base import stash
from dash_stash.demo.data import query_weather
from dash_stash.demo.measure import counted
from dash_stash.demo.pages import airport_choice, to_celsius, unit_choice, weather_figure, weather_rows
from dash_stash.demo.shell import graph, loading, table


@stash.memo
@counted("frame-stash")
def cleaned(airport):
    return query_weather(airport).dropna()


@callback(Output("frame-stash-data", "data"), Input("frame-stash-airport", "value"))
def clean(airport):
    return cleaned.ref(airport)


@callback(Output("frame-stash-graph", "figure"), Input("frame-stash-data", "data"), Input("frame-stash-unit", "value"))
def draw(frame, unit):
    return weather_figure(to_celsius(frame) if unit == "C" else frame, unit)


@callback(Output("frame-stash-table", "children"), Input("frame-stash-data", "data"), Input("frame-stash-unit", "value"))
def tabulate(frame, unit):
    return table(weather_rows(to_celsius(frame) if unit == "C" else frame, unit))


def layout():
    return [
        airport_choice("frame-stash"),
        unit_choice("frame-stash"),
        dcc.Store(id="frame-stash-data"),
        loading(graph("frame-stash-graph"), html.Div(id="frame-stash-table")),
    ]


def forget():
    cleaned.forget()
