"""Aggregates computed ahead; each graph gets a reference to its part, and loads only that."""

from __future__ import annotations

from dash import Input, Output, callback, dcc

from dash_stash.demo.base import stash
from dash_stash.demo.data import aggregate, query_flights
from dash_stash.demo.figures import delay_by_day, delays
from dash_stash.demo.widgets import (
    carrier_choice,
    graph,
    grid,
    loading,
)


@stash.memo
def parts(carrier):
    return aggregate(query_flights(carrier))


@callback(
    Output("parts-stash-days-data", "data"),
    Output("parts-stash-hours-data", "data"),
    Output("parts-stash-places-data", "data"),
    Input("parts-stash-carrier", "value"),
)
def compute(carrier):
    ref = parts.ref(carrier)
    return ref["days"], ref["hours"], ref["places"]


@callback(
    Output("parts-stash-days", "figure"),
    Input("parts-stash-days-data", "data"),
)
def draw_days(days):
    return delay_by_day(days)


@callback(
    Output("parts-stash-hours", "figure"),
    Input("parts-stash-hours-data", "data"),
)
def draw_hours(hours):
    return delays(hours, "Mean delay by hour")


@callback(
    Output("parts-stash-places", "figure"),
    Input("parts-stash-places-data", "data"),
)
def draw_places(places):
    return delays(places, "Mean delay by destination")


def layout():
    return [
        carrier_choice("parts-stash-carrier"),
        loading(
            dcc.Store(id="parts-stash-days-data"),
            dcc.Store(id="parts-stash-hours-data"),
            dcc.Store(id="parts-stash-places-data"),
            graph("parts-stash-days", 260),
            grid(
                graph("parts-stash-hours", 210),
                graph("parts-stash-places", 210),
            ),
        ),
    ]
