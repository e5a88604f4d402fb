"""Aggregates computed ahead, all of them as JSON to the browser and back to each graph."""

from __future__ import annotations

import io
import json

import pandas as pd
from dash import Input, Output, callback, dcc

from dash_stash.demo.data import aggregate, query_flights
from dash_stash.demo.figures import delay_by_day, delays
from dash_stash.demo.widgets import (
    carrier_choice,
    graph,
    grid,
    loading,
)


@callback(
    Output("parts-chapter-data", "data"),
    Input("parts-chapter-carrier", "value"),
)
def compute(carrier):
    parts = aggregate(query_flights(carrier))
    return json.dumps(parts, default=to_text)


def to_text(frame):
    return frame.to_json(orient="split")


def part(text, name):
    frame = json.loads(text)[name]
    return pd.read_json(io.StringIO(frame), orient="split")


@callback(
    Output("parts-chapter-days", "figure"),
    Input("parts-chapter-data", "data"),
)
def draw_days(text):
    return delay_by_day(part(text, "days"))


@callback(
    Output("parts-chapter-hours", "figure"),
    Input("parts-chapter-data", "data"),
)
def draw_hours(text):
    return delays(part(text, "hours"), "Mean delay by hour")


@callback(
    Output("parts-chapter-places", "figure"),
    Input("parts-chapter-data", "data"),
)
def draw_places(text):
    places = part(text, "places")
    return delays(places, "Mean delay by destination")


def layout():
    return [
        carrier_choice("parts-chapter-carrier"),
        loading(
            dcc.Store(id="parts-chapter-data"),
            graph("parts-chapter-days", 260),
            grid(
                graph("parts-chapter-hours", 210),
                graph("parts-chapter-places", 210),
            ),
        ),
    ]
