"""Flask-Caching keeps the frame in files; the signal says that it is there."""

from __future__ import annotations

from dash import Input, Output, callback, dcc

from dash_stash.demo.base import cache
from dash_stash.demo.data import query_flights
from dash_stash.demo.measure import counted
from dash_stash.demo.pages import carrier_choice, contour, four_graphs, histogram, scatter, spline


@cache.memoize()
@counted("signal-chapter")
def flights(carrier):
    return query_flights(carrier)


@callback(Output("signal-chapter-data", "data"), Input("signal-chapter-carrier", "value"))
def compute(carrier):
    flights(carrier)  # compute it and put it into the cache
    return carrier  # the signal


@callback(Output("signal-chapter-scatter", "figure"), Input("signal-chapter-data", "data"))
def draw_scatter(carrier):
    return scatter(flights(carrier))


@callback(Output("signal-chapter-spline", "figure"), Input("signal-chapter-data", "data"))
def draw_spline(carrier):
    return spline(flights(carrier))


@callback(Output("signal-chapter-histogram", "figure"), Input("signal-chapter-data", "data"))
def draw_histogram(carrier):
    return histogram(flights(carrier))


@callback(Output("signal-chapter-contour", "figure"), Input("signal-chapter-data", "data"))
def draw_contour(carrier):
    return contour(flights(carrier))


def layout():
    return [carrier_choice("signal-chapter"), dcc.Store(id="signal-chapter-data"), four_graphs("signal-chapter")]


def forget():
    cache.delete_memoized(flights)
