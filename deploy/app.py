"""The app of the examples: slow data that one host computes for all, and a count per session."""

from __future__ import annotations

import os
import socket
import time

import pandas as pd
import plotly.express as px
from dash import Dash, Input, Output, dcc, html
from plotly.graph_objects import Figure

from dash_stash import Ref, Stash

app = Dash(__name__)
stash = Stash(app)  # DASH_STASH_URL, DASH_STASH_NAME and DASH_STASH_SECRET: the same on all hosts
server = app.server


@stash.memo(ttl="10m")
def readings(station: str) -> pd.DataFrame:
    """Take a second, once for all hosts and workers."""
    time.sleep(1)
    hours = pd.date_range("2026-01-01", periods=1000, freq="h")
    level = [hash_of(f"{station} {hour}") for hour in range(len(hours))]
    return pd.DataFrame({"time": hours, "level": level, "computed by": here()})


def hash_of(text: str) -> float:
    """Return a number that looks measured."""
    return sum(text.encode()) % 97 / 97


def here() -> str:
    """Name this worker, and its host."""
    return f"worker {os.getpid()} on {socket.gethostname()}"


app.layout = html.Div(
    [
        dcc.Dropdown(["north", "south"], "north", id="station", clearable=False),
        html.Button("Count", id="button"),
        dcc.Store(id="signal"),
        dcc.Graph(id="graph"),
        html.P(id="who"),
        html.P(id="clicks"),
    ]
)


@app.callback(Output("signal", "data"), Input("station", "value"))
def compute(station: str) -> Ref[pd.DataFrame]:
    """Hand a reference to the browser, which may ask another host next."""
    return readings.ref(station)


@app.callback(Output("graph", "figure"), Input("signal", "data"))
def draw(frame: pd.DataFrame) -> Figure:
    """Draw the value of the reference."""
    return px.line(frame, x="time", y="level")


@app.callback(Output("who", "children"), Input("signal", "data"))
def tell(frame: pd.DataFrame) -> str:
    """Tell which worker computed the data, and which served it."""
    return f"Computed by {frame['computed by'].iloc[0]}, served by {here()}"


@app.callback(Output("clicks", "children"), Input("button", "n_clicks"), prevent_initial_call=True)
def count(_clicks: int) -> str:
    """Count in the session, whichever host is asked."""
    clicks = stash.session.modify("clicks", lambda number: number + 1, default=0)
    return f"{clicks} clicks, the last served by {here()}"
