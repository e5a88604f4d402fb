"""A session id in a hidden Div, minted per page load, and Flask-Caching under that id."""

from __future__ import annotations

import uuid

from dash import Input, Output, State, callback, html

from dash_stash.demo.base import cache
from dash_stash.demo.data import query_sample
from dash_stash.demo.figures import sampled
from dash_stash.demo.widgets import (
    button,
    drawn,
    graph,
    loading,
    place,
)


@cache.memoize()
def sample(session_id):
    return query_sample()


@callback(
    Output("session-chapter-table", "children"),
    Input("session-chapter-get", "n_clicks"),
    State("session-chapter-id", "children"),
    prevent_initial_call=True,
)
def tabulate(clicks, session_id):
    return drawn(sample(session_id))


@callback(
    Output("session-chapter-graph", "figure"),
    Input("session-chapter-draw", "n_clicks"),
    State("session-chapter-id", "children"),
    prevent_initial_call=True,
)
def draw(clicks, session_id):
    return sampled(sample(session_id)["flights"])


def layout():
    # A reload makes another session.
    # Whoever sends this id gets the data.
    session_id = str(uuid.uuid4())
    return [
        html.Div(
            session_id,
            id="session-chapter-id",
            hidden=True,
        ),
        button("session-chapter-get", "Get data"),
        button("session-chapter-draw", "Draw the same data"),
        loading(
            place("session-chapter-table"),
            graph("session-chapter-graph"),
        ),
    ]
