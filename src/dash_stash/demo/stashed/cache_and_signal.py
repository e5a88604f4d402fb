"""The reference is the signal: computed once, mapped by whoever opens it."""

from __future__ import annotations

from dash import Input, Output, callback, dcc

from dash_stash.demo.base import stash
from dash_stash.demo.data import query_flights
from dash_stash.demo.figures import (
    contour,
    histogram,
    scatter,
    spline,
)
from dash_stash.demo.widgets import (
    carrier_choice,
    graph,
    grid,
    loading,
)


@stash.memo
def flights(carrier):
    return query_flights(carrier)


@callback(
    Output("signal-stash-data", "data"),
    Input("signal-stash-carrier", "value"),
)
def compute(carrier):
    return flights.ref(carrier)


@callback(
    Output("signal-stash-scatter", "figure"),
    Input("signal-stash-data", "data"),
)
def draw_scatter(frame):
    return scatter(frame)


@callback(
    Output("signal-stash-spline", "figure"),
    Input("signal-stash-data", "data"),
)
def draw_spline(frame):
    return spline(frame)


@callback(
    Output("signal-stash-histogram", "figure"),
    Input("signal-stash-data", "data"),
)
def draw_histogram(frame):
    return histogram(frame)


@callback(
    Output("signal-stash-contour", "figure"),
    Input("signal-stash-data", "data"),
)
def draw_contour(frame):
    return contour(frame)


def layout():
    return [
        carrier_choice("signal-stash-carrier"),
        loading(
            dcc.Store(id="signal-stash-data"),
            grid(
                graph("signal-stash-scatter", 200),
                graph("signal-stash-spline", 200),
                graph("signal-stash-histogram", 200),
                graph("signal-stash-contour", 200),
            ),
        ),
    ]
