"""The rule kept: the number lives in the stash."""

from __future__ import annotations

import os

from dash import Input, Output, callback, ctx

from dash_stash.demo.base import stash
from dash_stash.demo.likes import like_button


@callback(
    Output("global-stash-answer", "data"),
    Input("global-stash-like", "n_clicks"),
    Input("global-stash-again", "n_intervals"),
)
def like(clicks, again):
    if ctx.triggered_id == "global-stash-like":
        stash.app.modify("likes", lambda n: n + 1, default=0)
    likes = stash.app.get("likes", 0)
    return {"worker": os.getpid(), "likes": likes}


def layout():
    return like_button("global-stash")
