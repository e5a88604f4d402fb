"""The rule broken: a callback changes a variable of its module."""

from __future__ import annotations

import os

from dash import Input, Output, State, callback

from dash_stash.demo.pages import answers, clicked, like_button

likes = 0


@callback(
    Output("global-chapter-answers", "data"),
    Input("global-chapter-like", "n_clicks"),
    Input("global-chapter-again", "n_intervals"),
    State("global-chapter-answers", "data"),
)
def like(clicks, again, answers):
    global likes  # every worker has a variable of its own
    if clicked("global-chapter-like"):
        likes += 1
        answers = {}  # from before
    return {**answers, str(os.getpid()): likes}


def layout():
    return [like_button("global-chapter"), answers("global-chapter")]


def forget():
    """Nothing can: the variable of another worker is out of reach."""
