"""Flask-Caching keeps the frame in files; the signal says that it is there."""

from __future__ import annotations

from dash import Input, Output, callback, dcc

from dash_stash.demo.base import cache
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


@cache.memoize()
def flights(carrier):
    return query_flights(carrier)


@callback(
    Output("signal-chapter-data", "data"),
    Input("signal-chapter-carrier", "value"),
)
def compute(carrier):
    flights(carrier)  # compute it and put it into the cache
    return carrier  # the signal


@callback(
    Output("signal-chapter-scatter", "figure"),
    Input("signal-chapter-data", "data"),
)
def draw_scatter(carrier):
    return scatter(flights(carrier))


@callback(
    Output("signal-chapter-spline", "figure"),
    Input("signal-chapter-data", "data"),
)
def draw_spline(carrier):
    return spline(flights(carrier))


@callback(
    Output("signal-chapter-histogram", "figure"),
    Input("signal-chapter-data", "data"),
)
def draw_histogram(carrier):
    return histogram(flights(carrier))


@callback(
    Output("signal-chapter-contour", "figure"),
    Input("signal-chapter-data", "data"),
)
def draw_contour(carrier):
    return contour(flights(carrier))


def layout():
    return [
        carrier_choice("signal-chapter-carrier"),
        loading(
            dcc.Store(id="signal-chapter-data"),
            grid(
                graph("signal-chapter-scatter", 200),
                graph("signal-chapter-spline", 200),
                graph("signal-chapter-histogram", 200),
                graph("signal-chapter-contour", 200),
            ),
        ),
    ]
