"""A session id in a hidden Div, minted per page load, and Flask-Caching under that id."""

from __future__ import annotations

import time
import uuid

from dash import Input, Output, State, callback, html

from dash_stash.demo.base import cache
from dash_stash.demo.data import query_sample
from dash_stash.demo.measure import counted
from dash_stash.demo.pages import session_controls
from dash_stash.demo.shell import table


@cache.memoize()
@counted("session-chapter")
def sample(session_id):
    return query_sample(seed=time.time_ns() % 2**32)


@callback(
    Output("session-chapter-shown", "children"),
    Input("session-chapter-get", "n_clicks"),
    Input("session-chapter-again", "n_clicks"),
    State("session-chapter-id", "children"),
    prevent_initial_call=True,
)
def show(get, again, session_id):
    return table(sample(session_id).head(8))


def layout():
    # A reload makes another session, and whoever sends this text gets the data.
    return [html.Div(str(uuid.uuid4()), id="session-chapter-id", hidden=True), *session_controls("session-chapter")]


def forget():
    cache.delete_memoized(sample)
