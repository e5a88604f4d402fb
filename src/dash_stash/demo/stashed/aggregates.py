"""Aggregates computed ahead; each graph gets a reference to its own part, and loads only that."""

from __future__ import annotations

from dash import Input, Output, callback, dcc

from dash_stash.demo.base import stash
from dash_stash.demo.data import query_flights
from dash_stash.demo.measure import counted
from dash_stash.demo.pages import bars, by, carrier_choice
from dash_stash.demo.shell import graph, loading


@stash.memo
@counted("parts-stash")
def aggregates(carrier):
    flights = query_flights(carrier)
    return {"flights": flights, "hours": by(flights, "hour"), "months": by(flights, "month")}


@callback(
    Output("parts-stash-hours-data", "data"),
    Output("parts-stash-months-data", "data"),
    Input("parts-stash-carrier", "value"),
)
def compute(carrier):
    ref = aggregates.ref(carrier)
    return ref["hours"], ref["months"]


@callback(Output("parts-stash-hours", "figure"), Input("parts-stash-hours-data", "data"))
def draw_hours(hours):
    return bars(hours, "Mean delay by hour, min")


@callback(Output("parts-stash-months", "figure"), Input("parts-stash-months-data", "data"))
def draw_months(months):
    return bars(months, "Mean delay by month, min")


def layout():
    return [
        carrier_choice("parts-stash"),
        dcc.Store(id="parts-stash-hours-data"),
        dcc.Store(id="parts-stash-months-data"),
        loading(graph("parts-stash-hours", 230), graph("parts-stash-months", 230)),
    ]


def forget():
    aggregates.forget()
