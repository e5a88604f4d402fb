"""The rule kept: the number lives in the stash."""

from __future__ import annotations

import os

from dash import Input, Output, State, callback

from dash_stash.demo.base import stash
from dash_stash.demo.pages import answers, clicked, like_button


@callback(
    Output("global-stash-answers", "data"),
    Input("global-stash-like", "n_clicks"),
    Input("global-stash-again", "n_intervals"),
    State("global-stash-answers", "data"),
)
def like(clicks, again, answers):
    if clicked("global-stash-like"):
        stash.app.modify("likes", lambda likes: likes + 1, default=0)
        answers = {}  # from before
    return {**answers, str(os.getpid()): stash.app.get("likes", 0)}


def layout():
    return [like_button("global-stash"), answers("global-stash")]


def forget():
    stash.app.pop("likes", None)
