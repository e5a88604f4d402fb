"""The session is known by a signed cookie; what belongs to it opens for nobody else."""

from __future__ import annotations

from dash import Input, Output, callback

from dash_stash.demo.base import stash
from dash_stash.demo.data import query_sample
from dash_stash.demo.figures import sampled
from dash_stash.demo.widgets import (
    button,
    drawn,
    graph,
    loading,
    place,
)


@stash.memo(scope="session")
def sample():
    return query_sample()


@callback(
    Output("session-stash-table", "children"),
    Input("session-stash-get", "n_clicks"),
    prevent_initial_call=True,
)
def tabulate(clicks):
    return drawn(sample())


@callback(
    Output("session-stash-graph", "figure"),
    Input("session-stash-draw", "n_clicks"),
    prevent_initial_call=True,
)
def draw(clicks):
    return sampled(sample()["flights"])


def layout():
    return [
        button("session-stash-get", "Get data"),
        button("session-stash-draw", "Draw the same data"),
        loading(
            place("session-stash-table"),
            graph("session-stash-graph"),
        ),
    ]
