"""The session is known by a signed cookie; what belongs to it opens for nobody else."""

from __future__ import annotations

import time

from dash import Input, Output, callback

from dash_stash.demo.base import stash
from dash_stash.demo.data import query_sample
from dash_stash.demo.measure import counted
from dash_stash.demo.pages import session_controls
from dash_stash.demo.shell import table


@stash.memo(scope="session")
@counted("session-stash")
def sample():
    return query_sample(seed=time.time_ns() % 2**32)


@callback(
    Output("session-stash-shown", "children"),
    Input("session-stash-get", "n_clicks"),
    Input("session-stash-again", "n_clicks"),
    prevent_initial_call=True,
)
def show(get, again):
    return table(sample().head(8))


def layout():
    return session_controls("session-stash")


def forget():
    sample.forget()
