"""Aggregates computed ahead, all of them as JSON to the browser and back to each graph."""

from __future__ import annotations

import io
import json

import pandas as pd
from dash import Input, Output, callback, dcc

from dash_stash.demo.data import query_flights
from dash_stash.demo.measure import counted
from dash_stash.demo.pages import bars, by, carrier_choice
from dash_stash.demo.shell import graph, loading


@counted("parts-chapter")
def aggregates(carrier):
    flights = query_flights(carrier)
    return {"flights": flights, "hours": by(flights, "hour"), "months": by(flights, "month")}


@callback(Output("parts-chapter-data", "data"), Input("parts-chapter-carrier", "value"))
def compute(carrier):
    return json.dumps({name: frame.to_json(orient="split") for name, frame in aggregates(carrier).items()})


@callback(Output("parts-chapter-hours", "figure"), Input("parts-chapter-data", "data"))
def draw_hours(text):
    return bars(pd.read_json(io.StringIO(json.loads(text)["hours"]), orient="split"), "Mean delay by hour, min")


@callback(Output("parts-chapter-months", "figure"), Input("parts-chapter-data", "data"))
def draw_months(text):
    return bars(pd.read_json(io.StringIO(json.loads(text)["months"]), orient="split"), "Mean delay by month, min")


def layout():
    return [
        carrier_choice("parts-chapter"),
        dcc.Store(id="parts-chapter-data"),
        loading(graph("parts-chapter-hours", 230), graph("parts-chapter-months", 230)),
    ]


def forget():
    """Nothing is kept outside the browser."""
