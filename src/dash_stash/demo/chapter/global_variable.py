"""The rule broken: a callback changes a variable of its module."""

from __future__ import annotations

import os

from dash import Input, Output, callback, ctx

from dash_stash.demo.likes import like_button

likes = 0


@callback(
    Output("global-chapter-answer", "data"),
    Input("global-chapter-like", "n_clicks"),
    Input("global-chapter-again", "n_intervals"),
)
def like(clicks, again):
    global likes  # every worker has a variable of its own
    if ctx.triggered_id == "global-chapter-like":
        likes += 1
    return {"worker": os.getpid(), "likes": likes}


def layout():
    return like_button("global-chapter")
